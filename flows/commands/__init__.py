"""One module a command (or a close family of them); each has `register(app)`. Thin: options in, sentences and numbers out."""

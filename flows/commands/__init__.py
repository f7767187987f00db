"""One module a command (or a family of them), each with `register(app)`: options in, sentences and numbers out."""

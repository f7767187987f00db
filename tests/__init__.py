"""Tests; a package, so that the simulator is imported by one name everywhere."""

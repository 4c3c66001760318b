"""The writer for installations without a model: it arranges the brief's own words, and says that it is a template."""

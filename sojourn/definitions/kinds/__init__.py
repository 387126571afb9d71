"""The kinds of documents that a project has, one module for each."""

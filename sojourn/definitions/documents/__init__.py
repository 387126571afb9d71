"""Reading documents: YAML with positions, and parts of documents as models."""

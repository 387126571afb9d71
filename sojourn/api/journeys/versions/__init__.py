"""The versions and the draft of a journey."""

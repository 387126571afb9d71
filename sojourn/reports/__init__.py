"""Questions asked of step events. Empty until step events are written to the store."""

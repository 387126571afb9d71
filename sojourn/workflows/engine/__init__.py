"""The engine under every journey: state, events, waits, exits, calls."""

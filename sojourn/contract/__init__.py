"""The ground of every part: persisted names, an event coming in, its result going out, instance states."""

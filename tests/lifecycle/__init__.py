"""The life of journeys: states, operations over instances, pause, stop."""

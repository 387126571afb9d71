"""The instances resource: profiles on their journeys."""

"""The HTTP API: events come in, journeys are published and read, instances are looked at.

`app.create_app` builds the application, `server.serve` runs it.
"""

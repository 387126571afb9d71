"""What operators do: look at journeys, instances and endpoints, and steer them."""

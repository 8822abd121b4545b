"""Live cameras: frames as they come, events that are never lost, alerts, and what a camera has learned."""

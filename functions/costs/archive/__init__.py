"""Old events in object storage."""

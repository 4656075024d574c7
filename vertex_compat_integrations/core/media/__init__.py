"""Large media: uploaded to the user's bucket once, and sent as `gs://` links."""

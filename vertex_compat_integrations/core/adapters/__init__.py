"""What the classes of both frameworks share: names of arguments, model specifications."""

"""`vertex-compat verify`: asks the endpoint what no page of Google's says, and writes down what it answered."""

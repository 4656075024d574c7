"""Cloud Storage's JSON API, as far as uploads of media need it."""

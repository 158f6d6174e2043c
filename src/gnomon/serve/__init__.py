"""A model behind an HTTP server that speaks OpenAI's completions and chat completions (`gnomon[serve]`)."""

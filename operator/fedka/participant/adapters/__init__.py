"""From an app's model to named flat tensors and back: one module a kind of model."""

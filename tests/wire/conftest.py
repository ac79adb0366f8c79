from hypothesis import HealthCheck, Phase, settings

# No deadline and no judgement of slowness: two cores are shared with brokers, and speed is measured elsewhere.
# No explanations: they trace every line, and a failure here is small once it is shrunk.
settings.register_profile(
    "fedka",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
settings.load_profile("fedka")

"""Server-side apply's merge, for any order of applies."""

from hypothesis import given
from hypothesis import strategies as st

from fedka.api.structural import training_schema
from fedka.local.fields import LIST_KEYS, Owner, Schema, apply_fields

ONE, TWO = Owner("one", "Apply"), Owner("two", "Apply")
NAMES = st.sampled_from("abc")
LEAVES = st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2)
PARTICIPANTS = st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["x", "y"]), LEAVES, max_size=2), max_size=3)
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=6)
OBJECTS = st.builds(
    lambda tree, participants: {
        "spec": {"tree": tree, "participants": [{"name": name, **rest} for name, rest in participants.items()]}
    },
    TREES,
    PARTICIPANTS,
)
SCHEMA = Schema("FederatedTraining")


def declared_lists(schema, path=""):
    kind = schema.get("x-kubernetes-list-type")
    if kind in ("map", "set"):
        yield path, tuple(schema.get("x-kubernetes-list-map-keys", ()))
    for name, member in schema.get("properties", {}).items():
        yield from declared_lists(member, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from declared_lists(schema["items"], path)


def test_the_training_merges_the_lists_that_its_crd_declares():
    assert dict(declared_lists(training_schema())) == LIST_KEYS["FederatedTraining"]


@given(first=OBJECTS, second=OBJECTS)
def test_one_manager_owns_exactly_what_it_applied_last(first, second):
    live, owners = apply_fields(SCHEMA, {}, first, {}, ONE)
    live, owners = apply_fields(SCHEMA, live, second, owners, ONE)
    assert SCHEMA.fields(live) == SCHEMA.fields(second)


@given(first=OBJECTS, second=OBJECTS)
def test_applying_again_changes_nothing(first, second):
    live, owners = apply_fields(SCHEMA, {}, first, {}, ONE)
    live, owners = apply_fields(SCHEMA, live, second, owners, TWO)
    assert apply_fields(SCHEMA, live, second, owners, TWO) == (live, owners)


@given(first=OBJECTS, second=OBJECTS)
def test_a_forced_apply_wins_every_field_it_names(first, second):
    live, owners = apply_fields(SCHEMA, {}, first, {}, ONE)
    live, _ = apply_fields(SCHEMA, live, second, owners, TWO)
    fields = SCHEMA.fields(live)
    assert all(fields[path] == value for path, value in SCHEMA.fields(second).items() if value != [])


def test_taking_everything_back_leaves_the_others_fields():
    live, owners = apply_fields(SCHEMA, {}, {"spec": {"mine": 1, "both": 2}}, {}, ONE)
    live, owners = apply_fields(SCHEMA, live, {"spec": {"both": 2, "theirs": 3}}, owners, TWO)
    live, owners = apply_fields(SCHEMA, live, {}, owners, ONE)
    assert live == {"spec": {"both": 2, "theirs": 3}}


def test_a_map_that_is_left_empty_goes():
    live, owners = apply_fields(SCHEMA, {}, {"spec": {"deep": {"down": 1}, "kept": 2}}, {}, ONE)
    live, _ = apply_fields(SCHEMA, live, {"spec": {"kept": 2}}, owners, ONE)
    assert live == {"spec": {"kept": 2}}

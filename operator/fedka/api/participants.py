"""Who takes part, and what they run."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from fedka.api.fields import DNS_SUBDOMAIN, ApiModel, ConfigMap, Name
from fedka.api.markers import Rule, rules
from fedka.api.pods import PodTemplate


class ParticipantMode(StrEnum):
    """Who runs a participant."""

    MANAGED = "Managed"
    EXTERNAL = "External"


class ConfigMapReference(ApiModel):
    """A ConfigMap of the training's namespace."""

    name: Annotated[str, Field(strict=True, min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)] = Field(
        description="Name of the ConfigMap, at most 253 characters."
    )


class App(ApiModel):
    """What a participant runs. May change only while the training is suspended."""

    image: Annotated[str, Field(strict=True, min_length=1, max_length=512)] | None = Field(
        default=None,
        description="Container image of the participants, at most 512 characters. Default: the operator's.",
    )
    entrypoint: Annotated[
        str,
        Field(strict=True, min_length=3, max_length=253, pattern="^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*$"),
    ] = Field(
        description="The fedka.App object as module:object, e.g. fraud:app, at most 253 characters. The module is "
        "looked up in codeConfigMapRef, on the image's Python path, or beside the YAML file in a local run."
    )
    code_config_map_ref: ConfigMapReference | None = Field(
        default=None,
        description="A ConfigMap of Python modules (a key such as fraud.py for each), to try code out without an "
        "image: mounted read-only in the Managed participants' pods and first on their Python path. A pod that has "
        "started keeps the code it has read: suspend and resume for a changed ConfigMap. Default: none; a local run "
        "finds the modules beside the YAML file instead.",
    )
    config: ConfigMap = Field(
        default={},
        description="Settings handed to the app of every participant: at most 64 strings of at most 1024 characters. "
        "The app declares their types and checks them. Default: none.",
    )


class Participant(ApiModel):
    """One participant. A field that is absent here has no schema default, or GitOps tools would see a difference."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.template) || !has(self.mode) || self.mode != 'External'",
                "is only for Managed participants: an External one has no pod of ours; remove it",
                ".template",
            ),
            Rule(
                "!has(self.config) || !has(self.mode) || self.mode != 'External'",
                "is only for Managed participants: an External one is configured on its own side; remove it",
                ".config",
            ),
            Rule(
                "(has(self.mode) ? self.mode : 'Managed') == (has(oldSelf.mode) ? oldSelf.mode : 'Managed')",
                "is immutable: remove the participant and add it under another name",
                ".mode",
            ),
        )
    )

    name: Name = Field(
        description="Name of the participant, unique in the training: a DNS label of at most 40 characters."
    )
    mode: ParticipantMode | None = Field(
        default=None,
        description="Who runs it, absent means Managed. Managed: Fedka starts it. External: its owner does, with the "
        "connection bundle that Fedka makes. Immutable.",
    )
    config: ConfigMap | None = Field(
        default=None,
        description="Settings for this participant only, over those of app.config: at most 64 strings of at most 1024 "
        "characters. No other participant sees them. Read when the participant starts.",
    )
    template: PodTemplate | None = Field(
        default=None,
        description="PodTemplateSpec merged over participantTemplate. Applies when its Job is next created.",
    )

    @property
    def managed(self) -> bool:
        """Whether Fedka runs it."""
        return self.mode is not ParticipantMode.EXTERNAL

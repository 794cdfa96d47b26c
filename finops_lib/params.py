"""Parameters: YAML files and what-if values become one validated, frozen ``Params``."""

from __future__ import annotations

import copy
import difflib
import os
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from finops_lib.errors import ParamsError
from finops_lib.schema import DIMENSIONS

ORGANISATION = "organisation"
CaptureLayer = Literal["gateway", "trace", "provider_log", "provider_usage"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Owners(_Model):
    """Who answers for something; roles, not people."""

    business: str | None = Field(None, description="role that answers for the money")
    technical: str | None = Field(None, description="role that answers for the running of it")


class Team(_Model):
    """Where a team stands in the organisation."""

    department: str | None = Field(None, description="department of the team")
    cost_center: str | None = Field(None, description="cost center that pays")
    owners: Owners = Field(Owners(), description="owners of the team's spend")


class Source(_Model):
    """One export to read."""

    path: str = Field(description="file, folder, glob or database URL; relative to the project folder")
    format: str = Field("auto", description="format name as in `finops ingest --format`")
    table: str = Field("requests", description="table the rows belong to")
    mapping: str | None = Field(None, description="YAML of column names, for format `mapped`")
    account: str | None = Field(None, description="provider account all its calls are billed to")
    layer: CaptureLayer | None = Field(None, description="capture layer, where the format's own is wrong")
    defaults: dict[str, str] = Field({}, description="dimension values for rows that carry none")

    @field_validator("defaults")
    @classmethod
    def _known_dimensions(cls, value: dict[str, str]) -> dict[str, str]:
        return _dimension_keys(value, "defaults")


class PriceOverride(_Model):
    """A negotiated rate, discount, markup or free model, scoped and dated."""

    kind: Literal["absolute", "discount", "multiplier", "markup", "provisioned", "free"] = Field(
        description="what it does: `absolute` sets prices; `discount` takes a share off; `multiplier` scales; "
        "`markup` adds a share to what consumers are billed; `provisioned` is capacity paid by the hour; "
        "`free` costs nothing (self-hosted)"
    )
    provider: str = Field("*", description="provider name or pattern")
    model: str = Field("*", description="model name or pattern")
    api_key: str | None = Field(None, description="only calls with this virtual key")
    team: str | None = Field(None, description="only calls of this team")
    assistant: str | None = Field(None, description="only calls of this assistant")
    service_tier: str | None = Field(None, description="only calls in this tier: standard, batch, flex, priority")
    prices: dict[str, Decimal] = Field(
        {}, description="for `absolute`: USD per million tokens by token class (web_search: USD per search)"
    )
    share: Decimal | None = Field(None, description="for `discount` and `markup`: 0.10 is ten percent")
    factor: Decimal | None = Field(None, description="for `multiplier`: 0.5 halves the price")
    units: Decimal | None = Field(None, description="for `provisioned`: capacity units")
    unit_price: Decimal | None = Field(None, description="for `provisioned`: USD per unit and hour")
    effective_from: date | None = Field(None, description="first day it holds (UTC)")
    effective_to: date | None = Field(None, description="first day it no longer holds (UTC)")
    reference: str = Field("", description="contract or note it rests on")

    @model_validator(mode="after")
    def _complete(self) -> PriceOverride:
        needs = {
            "absolute": ("prices",),
            "discount": ("share",),
            "markup": ("share",),
            "multiplier": ("factor",),
            "provisioned": ("units", "unit_price"),
            "free": (),
        }[self.kind]
        missing = [name for name in needs if getattr(self, name) in (None, {})]
        if missing:
            message = f"an override of kind '{self.kind}' needs {' and '.join(missing)}"
            raise ValueError(message)
        if self.kind == "discount" and self.share is not None and not 0 <= self.share <= 1:
            message = f"a discount is a share between 0 and 1, found {self.share}"
            raise ValueError(message)
        numbers = [*self.prices.values(), self.share, self.factor, self.units, self.unit_price]
        if any(number is not None and number < 0 for number in numbers):
            message = "a price, share, factor or unit count is never negative"
            raise ValueError(message)
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            message = f"it ends on {self.effective_to}, before it begins on {self.effective_from}"
            raise ValueError(message)
        return self


class Attribution(_Model):
    """How calls are given to teams and workflows when their columns do not say so."""

    tags: dict[str, str] = Field({}, description="tag or metadata key → dimension it names")
    weights: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(
        {}, description="dimension → value → weight, for calls tagged with several values (default: equal)"
    )

    @field_validator("tags")
    @classmethod
    def _known_targets(cls, value: dict[str, str]) -> dict[str, str]:
        _dimension_keys(dict.fromkeys(value.values(), ""), "attribution.tags", extra=("user_id", "task_id"))
        return value

    @field_validator("weights")
    @classmethod
    def _known_shared(cls, value: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        _dimension_keys(dict.fromkeys(value, ""), "attribution.weights")
        return value


class Settings(_Model):
    """Values any assistant may set; `settings` of an assistant's file."""

    title: str | None = Field(None, description="name readers know it by")
    assistant_class: str | None = Field(
        None, alias="class", description="kind of assistant: support, extraction, research, knowledge, drafting, coding"
    )
    owners: Owners = Field(Owners(), description="owners of the assistant")
    match: list[str] = Field([], description="names the assistant has in exports, beside its own")
    defaults: dict[str, str] = Field({}, description="dimension values for its calls that carry none")
    success: Literal["resolved", "accepted", "completed"] | None = Field(
        None, description="what makes a task successful; without it: resolved, else accepted, else completed"
    )
    window_days: int = Field(7, ge=2, le=60, description="days of the moving averages")
    coverage_target: Share = Field(0.95, description="share of spend with team, workflow and cost center")
    quarantine_limit: Share = Field(0.01, description="share of rows that may be unusable")
    unpriced_limit: Share = Field(0.01, description="share of tokens that may lack a price")
    ambiguous_limit: Share = Field(0.01, description="share of calls whose token counts may fit no basis")

    @field_validator("defaults")
    @classmethod
    def _known_dimensions(cls, value: dict[str, str]) -> dict[str, str]:
        return _dimension_keys(value, "defaults")


class Organisation(_Model):
    """`organisation.yaml`: who owns what, and the rules that hold for all assistants."""

    company: str = Field("", description="name on the reports")
    currency: Literal["USD"] = Field("USD", description="currency of the price list and the reports")
    time_zone: str = Field("UTC", description="reporting time zone (IANA name); days and months are cut in it")
    engine_url: str | None = Field(
        None, description="SQLAlchemy URL of a warehouse that holds the requests; without it DuckDB on this machine"
    )
    workspace: str = Field("outputs/workspace", description="folder of the ledger, relative to the project")
    sources: list[Source] = Field([], description="exports to read")
    teams: dict[str, Team] = Field({}, description="team → department, cost center, owners")
    virtual_keys: dict[str, dict[str, str]] = Field({}, description="virtual key → dimension values of its owner")
    attribution: Attribution = Field(Attribution(), description="tags that name dimensions, weights of shared tags")
    model_aliases: dict[str, str] = Field({}, description="deployment or route name → model in the price list")
    prices: list[PriceOverride] = Field([], description="negotiated rates, discounts, markups, free models")
    capture_layers: list[CaptureLayer] = Field(
        ["gateway", "trace", "provider_log", "provider_usage"],
        description="which layer feeds the ledger where several cover the same account and day, first one wins",
    )
    pseudonym_key_variable: str = Field(
        "FINOPS_PSEUDONYM_KEY", description="environment variable with the key of the user pseudonyms"
    )
    price_age_limit_days: int = Field(30, description="days after which the price list is called old")
    defaults: dict[str, Any] = Field({}, description="settings for every assistant that sets none")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # "localtime" would be another zone on every machine.
        known = available_timezones() - {"localtime"}
        if value not in known:
            close = difflib.get_close_matches(value, known, n=1)
            message = f"unknown time zone '{value}'" + (f"; did you mean '{close[0]}'?" if close else "")
            raise ValueError(message)
        return value

    @field_validator("virtual_keys")
    @classmethod
    def _known_owner_keys(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for key, owner in value.items():
            _dimension_keys(owner, f"virtual_keys.{key}")
        return value


class Params(_Model):
    """Everything a notebook or command needs to know."""

    assistant: str
    period: str
    settings: Settings
    organisation: Organisation
    project: Path
    assistants: dict[str, Settings]

    @property
    def workspace(self) -> Path:
        """Folder of the ledger."""
        return self.project / self.organisation.workspace

    @property
    def zone(self) -> ZoneInfo:
        """Reporting time zone."""
        return ZoneInfo(self.organisation.time_zone)

    @property
    def title(self) -> str:
        """Name for headings."""
        if self.assistant == ORGANISATION:
            return "All assistants"
        return self.settings.title or self.assistant


def _dimension_keys(value: dict[str, str], where: str, extra: tuple[str, ...] = ()) -> dict[str, str]:
    known = [column.name for column in DIMENSIONS] + list(extra)
    for key in value:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            message = f"{where}: '{key}' is no dimension" + (f"; did you mean '{close[0]}'?" if close else "")
            raise ValueError(message)
    return value


def find_project(start: Path | str | None = None) -> Path:
    """Find the project folder: the nearest one upwards that holds ``parameters/``.

    Parameters
    ----------
    start : path, optional
        A project folder, taken as it is. Without it ``FINOPS_PROJECT``, then the working directory upwards.

    Returns
    -------
    Path
        Absolute path of the project folder.

    Raises
    ------
    ParamsError
        If no folder with ``parameters/`` is found.
    """
    named = start or os.environ.get("FINOPS_PROJECT")
    if named:
        project = Path(named).expanduser().resolve()
        if not (project / "parameters").is_dir():
            message = f"No folder 'parameters' in the project folder {project}"
            raise ParamsError(message, hint="create parameters/organisation.yaml there, or name another folder")
        return project
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "parameters").is_dir():
            return folder
    message = f"No project found from {here} upwards: a project folder holds a folder 'parameters'"
    raise ParamsError(message, hint="change into the project, or pass --project DIR or set FINOPS_PROJECT")


def load_params(
    assistant: str = ORGANISATION,
    period: str = "latest",
    settings: Mapping[str, Any] | None = None,
    *,
    project: Path | str | None = None,
) -> Params:
    """Load and validate all parameters for one assistant and month.

    Package defaults ← ``organisation.yaml`` ← the assistant's file ← ``settings``: mappings are merged
    deeply, lists are replaced.

    Parameters
    ----------
    assistant : str
        Name of an assistant's file in ``parameters/``, or ``organisation``.
    period : str
        A month ``YYYY-MM``, or ``latest`` for the last month the ledger holds.
    settings : mapping, optional
        What-if values, as under ``settings`` of an assistant's file.
    project : path, optional
        The project folder; found as by ``find_project`` when not given.

    Returns
    -------
    Params
        Frozen and validated.

    Raises
    ------
    ParamsError
        If a file cannot be read, a key is unknown (the nearest known one is named) or a value is wrong.
    """
    if not isinstance(assistant, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", assistant):
        message = f"'{assistant}' is no assistant's name"
        raise ParamsError(message, hint="use letters, digits, '-', '_' and '.' as in parameters/<assistant>.yaml")
    _check_period(period, "period")
    given = _mapping(settings, "the settings passed in")
    folder = find_project(project) / "parameters"
    organisation_file = folder / f"{ORGANISATION}.yaml"
    organisation = _validate(Organisation, _read_yaml(organisation_file), organisation_file)
    _validate(Settings, organisation.defaults, organisation_file, prefix=("defaults",))
    assistants = {
        name: _assistant_settings(folder / f"{name}.yaml", organisation, {}) for name in list_assistants(folder.parent)
    }
    if assistant == ORGANISATION:
        merged = _merge(organisation.defaults, given)
        chosen = _validate(Settings, merged, organisation_file, prefix=("defaults",), given=given)
    elif assistant in assistants:
        chosen = _assistant_settings(folder / f"{assistant}.yaml", organisation, given)
    else:
        close = difflib.get_close_matches(assistant, assistants, n=1)
        message = f"No file parameters/{assistant}.yaml in {folder.parent}"
        known = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(assistants) or 'none yet'}"
        raise ParamsError(message, hint=known)
    return Params(
        assistant=assistant,
        period=str(period),
        settings=chosen,
        organisation=organisation,
        project=folder.parent,
        assistants=assistants,
    )


def list_assistants(project: Path | str) -> list[str]:
    """List the assistants that have a parameter file, by name.

    Parameters
    ----------
    project : path
        The project folder.

    Returns
    -------
    list of str
        Names of the files in ``parameters/`` that hold a key ``assistant``.

    Raises
    ------
    ParamsError
        If a file is no YAML mapping, or its ``assistant`` is not the file's name.
    """
    found = []
    for path in sorted((Path(project) / "parameters").glob("*.yaml")):
        if path.stem == ORGANISATION:
            continue
        content = _read_yaml(path)
        if "assistant" not in content:
            continue
        if content["assistant"] != path.stem:
            message = f"{path}: assistant is '{content['assistant']}', expected '{path.stem}' as the file is named"
            raise ParamsError(message, hint="rename the file or change the key")
        found.append(path.stem)
    return found


def _assistant_settings(path: Path, organisation: Organisation, settings: Mapping[str, Any]) -> Settings:
    content = _read_yaml(path)
    unknown = [key for key in content if key not in ("assistant", "period", "settings")]
    if unknown:
        line = _line_of(path, (unknown[0],))
        message = f"{path}, line {line}: unknown key '{unknown[0]}'"
        raise ParamsError(message, hint="the keys are assistant, period and settings; put it under 'settings'")
    _check_period(content.get("period", "latest"), f"{path}, line {_line_of(path, ('period',))}: period")
    own = _mapping(content.get("settings"), f"{path}: settings")
    merged = _merge(_merge(organisation.defaults, own), settings)
    return _validate(Settings, merged, path, prefix=("settings",), given=settings)


def _check_period(period: Any, where: str) -> None:
    if not re.fullmatch(r"latest|\d{4}-(0[1-9]|1[0-2])", str(period)):
        message = f"{where}: found '{period}', expected a month 'YYYY-MM' or 'latest'"
        raise ParamsError(message, hint='write it in quotes, e.g. period: "2026-09"')


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        message = f"{where}: found {value!r}, expected keys and values"
        raise ParamsError(message, hint="give a mapping, e.g. {window_days: 14}")
    return value or {}


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML readers silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                message = f"key '{key.value}' stands twice"
                raise yaml.constructor.ConstructorError(problem=message, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        message = f"No file {path}"
        raise ParamsError(message, hint="create it; parameters/README.md lists every key")
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        message = f"{path}: not readable as YAML: {error}"
        raise ParamsError(message, hint="check indentation and quotes at the line named; files are UTF-8") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        message = f"{path}: found a {type(content).__name__}, expected keys and values"
        raise ParamsError(message, hint="write 'key: value' lines")
    return content


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings deeply; anything else in ``top`` replaces what stands in ``base``."""
    merged = copy.deepcopy(dict(base))
    for key, value in top.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _validate(
    model: type[_Model],
    content: Mapping[str, Any],
    path: Path,
    prefix: tuple[str, ...] = (),
    given: Mapping[str, Any] | None = None,
) -> Any:
    """Validate what a file says, and what was ``given`` on top of it, in words that point at the culprit."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        keys = tuple(problem["loc"])
        where = ".".join(str(key) for key in prefix + keys)
        line = _line_of(path, prefix + keys)
        place = f"{path}, line {line}" if line else str(path)
        if _holds(given, keys):
            place = "the settings passed in"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, keys[:-1])
            close = difflib.get_close_matches(str(keys[-1]), known, n=1)
            message = f"{place}: unknown key '{where}'"
            hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
            raise ParamsError(message, hint=hint) from error
        wrong = problem["msg"].removeprefix("Value error, ")
        message = f"{place}: {where}: {wrong}, found {problem['input']!r}"
        raise ParamsError(message, hint="parameters/README.md says what each key takes") from error


def _holds(given: Mapping[str, Any] | None, keys: tuple[Any, ...]) -> bool:
    """Say whether a value stands in ``given`` itself."""
    node: Any = given
    for key in keys:
        if not isinstance(node, Mapping):
            break
        if key not in node:
            return False
        node = node[key]
    return bool(given)


def _known_keys(model: type[BaseModel], keys: tuple[Any, ...]) -> list[str]:
    """Follow ``keys`` through nested models to the names allowed at their end."""
    for key in keys:
        field = model.model_fields.get(str(key)) or next(
            (f for f in model.model_fields.values() if f.alias == key), None
        )
        if field is None:
            continue
        for candidate in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return [field.alias or name for name, field in model.model_fields.items()]


def _line_of(path: Path, keys: tuple[Any, ...]) -> int | None:
    """Find the line of a nested key, counted from 1; ``None`` when the file does not hold it."""
    if not path.is_file():
        return None
    node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(key)), None)
            if pair is None:
                return line if line else None
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line

"""Settings come from one place, are checked, and say in one line what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from amiss.config import Config, load_config, setting_rows
from amiss.errors import ConfigError
from amiss.methods.attributes import AttributesSettings


def test_without_anything_the_defaults_hold() -> None:
    assert load_config() == Config()


def test_sets_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("seed: 3\nscoring: {merge: 5, budget: 1/week}\n")
    config = load_config(file, ["scoring.merge=7", "perception.boxes.source=file"])
    assert (config.seed, config.scoring.merge, config.scoring.budget) == (3, 7.0, "1/week")
    assert config.perception.boxes.source == "file"
    assert config.perception.boxes.min_area == Config().perception.boxes.min_area


@pytest.mark.parametrize(
    ("text", "value"),
    [("scoring.causal=true", True), ("scoring.causal=no", False)],
)
def test_values_are_read_as_yaml(text: str, value: bool) -> None:
    assert load_config(sets=[text]).scoring.causal is value


def test_settings_of_the_method_are_handed_on_as_they_are() -> None:
    assert load_config(sets=["method.parts=[velocity, size]", "method.neighbours=3"]).method == {
        "parts": ["velocity", "size"],
        "neighbours": 3,
    }


def test_a_value_may_hold_an_equals_sign_and_be_no_yaml() -> None:
    assert load_config(sets=["perception.boxes.path=/data/a=b.npz"]).perception.boxes.path == Path("/data/a=b.npz")
    assert load_config(sets=["perception.boxes.path={half"]).perception.boxes.path == Path("{half")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["scoring.merge"], "key=value"),
        (["=3"], "key=value"),
        (["scoring.nothing=1"], "there is no setting 'scoring.nothing'; the keys there are: along, budget, causal"),
        (["nothing=1"], "there is no setting 'nothing'"),
        (["seed.deep=1", "seed.deep.er=1"], "seed"),
        (["seed=1", "seed.deep=2"], "'seed' is not a group"),
        (["scoring.merge=soon"], "scoring.merge does not take 'soon'"),
        (["scoring.holdout=1"], "scoring.holdout does not take 1"),
        (["footage.fps=0"], "footage.fps does not take 0"),
        (["perception.flow.preset=best"], "perception.flow.preset does not take 'best'"),
        (["perception.boxes.motion.min_area=0"], "perception.boxes.motion.min_area"),
        (["bench.cameras=some"], "bench.cameras"),
        (["report.events=0"], "report.events"),
    ],
)
def test_what_does_not_fit_is_named(sets: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(sets=sets)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a: [", "not YAML"), (b"- 1\n- 2", "not a mapping"), (b"\xff\xfe\x00", "cannot be read")],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(file)
    assert "broken.yaml" in str(caught.value)


def test_a_missing_file_is_named_and_an_empty_one_is_fine(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")
    (tmp_path / "empty.yaml").touch()
    assert load_config(tmp_path / "empty.yaml") == Config()


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        Config().seed = 3


@pytest.mark.parametrize("model", [Config, AttributesSettings])
def test_every_setting_has_a_description_a_type_and_its_default(model: type[Config]) -> None:
    rows = list(setting_rows(model))
    assert len({key for key, *_ in rows}) == len(rows)
    for key, kind, default, description in rows:
        assert len(description) > 10, key
        assert kind
        value = model()
        for step in key.split("."):
            value = getattr(value, step)
        assert value == default


def test_rows_open_groups_up() -> None:
    keys = {key: default for key, _, default, _ in setting_rows(Config)}
    assert keys["perception.boxes.motion.threshold"] == Config().perception.boxes.motion.threshold
    assert not any(key in keys for key in ("perception", "perception.boxes", "method"))


def test_a_prefix_stands_before_the_key_in_messages() -> None:
    with pytest.raises(ConfigError, match=r"method\.neighbours does not take 0"):
        AttributesSettings.build({"neighbours": 0}, prefix="method.")
    with pytest.raises(ConfigError, match=r"no setting 'method\.kindness'"):
        AttributesSettings.build({"kindness": 1}, prefix="method.")


def test_keys_of_a_file_may_have_dots(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("scoring.budget: 2/day\nperception: {boxes.source: motion}\n")
    assert load_config(file).perception.boxes.source == "motion"
    file.write_text("scoring.budget: 2/day\nscoring: {merge: 3}\n")
    config = load_config(file, ["scoring.release=0.5"])
    assert (config.scoring.budget, config.scoring.merge, config.scoring.release) == ("2/day", 3.0, 0.5)

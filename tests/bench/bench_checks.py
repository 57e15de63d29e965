"""Runs a benchmark with tiny numbers: it must measure everything, and say it in JSON."""
import json
import os
import subprocess
import tempfile

FIELDS = {"name", "value", "unit", "ceiling", "ratio", "goal", "holds", "load"}


def check_figure(figure):
    assert set(figure) == FIELDS, figure
    assert figure["value"] is not None and figure["value"] >= 0, figure
    assert figure["goal"] is None and figure["holds"] is None, "a quick run judges"
    if figure["ceiling"]:
        assert abs(figure["ratio"] - figure["value"] / figure["ceiling"]) <= 1e-3 * figure["ratio"] + 1e-9, figure


def check_run(program, expected, *options):
    """Fails unless the run gives figures of just these names."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "figures.json")
        subprocess.run([program, "--quick", *options, "--json", path, "--data", directory], check=True)
        with open(path, encoding="utf-8") as file:
            figures = json.load(file)
        assert os.listdir(directory) == ["figures.json"], "the run has left files behind"
    for figure in figures:
        check_figure(figure)
    names = [figure["name"] for figure in figures]
    assert sorted(names) == sorted(expected), set(names) ^ set(expected)

from eventing.images.sources import data_of, imported, packages_above


def names(tmp_path, text):
    file = tmp_path / "module.py"
    file.write_text(text)
    return imported(file)


def test_lazy_import_is_found(tmp_path):
    assert "heavy" in names(tmp_path, "def f():\n    if f:\n        import heavy\n")


def test_from_import_names_the_module_and_what_may_be_one(tmp_path):
    assert names(tmp_path, "from a.b import c, d") == {"a.b", "a.b.c", "a.b.d"}


def test_import_under_type_checking_is_left_out_and_its_else_is_not(tmp_path):
    found = names(tmp_path, "if TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
                            "if typing.TYPE_CHECKING:\n    import c\n")

    assert found == {"b"}


def test_every_package_above_a_module_runs_before_it(tmp_path):
    module = tmp_path / "a" / "b" / "c.py"
    module.parent.mkdir(parents=True)
    for folder in (module.parent, module.parent.parent):
        (folder / "__init__.py").touch()

    assert {*packages_above(module, tmp_path)} == {
        tmp_path / "a" / "__init__.py", tmp_path / "a" / "b" / "__init__.py"}


def test_data_belong_to_the_nearest_package(tmp_path):
    for name in ("own.lua", "lua/below.lua", "inner/__init__.py", "inner/not_own.lua",
                 "py.typed", "Dockerfile", "__pycache__/stale.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert {path.name for path in data_of(tmp_path)} == {"own.lua", "below.lua"}

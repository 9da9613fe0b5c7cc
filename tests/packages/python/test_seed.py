"""A seed folder, by the option of the pytest plugin."""


def test_a_seed_is_there_when_each_test_begins(pytester):
    folder = pytester.mkdir("seed") / "repositories" / "MyDemoRepo"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("A demonstration.\n")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_seed(codecommit, number):
            file = codecommit.get_file(repositoryName="MyDemoRepo", filePath="README.md")
            assert file["fileContent"] == b"A demonstration.\\n"
            codecommit.delete_repository(repositoryName="MyDemoRepo")
        """
    )
    pytester.runpytest_subprocess("--codecommit-seed", "seed").assert_outcomes(passed=2)

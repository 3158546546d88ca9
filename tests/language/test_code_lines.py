"""Lines that are code are told from lines that speak of it."""

from __future__ import annotations

import pytest

from alif.language.code_lines import find_code_lines, is_markup


@pytest.mark.parametrize(
    "text",
    [
        "def add(a, b):\n    return a + b",
        "for i in range(10):\n    print(i)",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.head()",
        "a = 5\nb = 10\nprint(a + b)",
        "function add(a, b) {\n  return a + b;\n}",
        "const add = (a, b) => a + b;",
        '#include <stdio.h>\nint main() {\n    printf("Hello");\n    return 0;\n}',
        "public class A {\n  public static void main(String[] args) {\n    run();\n  }\n}",
        "if (x > 0) {\n  y = 1;\n} else {\n  y = 2;\n}",
        "SELECT name FROM users WHERE age > 18;",
        "SELECT *\nFROM users\nORDER BY name;",
        "CREATE TABLE users (id INT, name TEXT);",
        "body {\n  color: red;\n}",
        '{\n  "name": "John",\n  "age": 30\n}',
        "git commit -am 'fix'",
        "$ ls -la",
        "rm -rf build",
        "E = mc^2",
        "3x - 4y = 1, 2x + 3y = 12",
        "lambda x: x * 2",
    ],
)
def test_every_line_of_code_is_found(text: str) -> None:
    assert find_code_lines(text) == (text.split("\n"),) * 2


def test_comments_belong_to_code_and_need_not_stay() -> None:
    text = "It adds:\n\ndef f(x):\n    # add one\n    return x + 1  # done\n\nThat is all."
    code, whole = find_code_lines(text)
    assert code == ["def f(x):", "    return x + 1"]
    assert whole == text.split("\n")[2:5]


@pytest.mark.parametrize(
    "text",
    [
        "If the price is more than $5 (tax included):",
        "class Mammals: they are warm",
        "return to sender",
        "from Paris to Rome",
        "SELECT the best option from the list",
        "The result = 10.",
        "Profit = 500 - 300 = 200",
        "First, wash the rice (twice);",
        "Ingredients:\n- rice;\n- water;",
        "git is a version control system",
        "Update your profile and set a password.",
        "with help from friends (many):",
        "12 / 05 / 2021",
        "# Heading",
        "He said (quietly); she left.",
        "try:",
    ],
)
def test_prose_with_a_few_signs_is_prose(text: str) -> None:
    assert find_code_lines(text) == ([], [])


def test_markup_is_one_piece() -> None:
    assert is_markup("<!DOCTYPE html>\n<html>\n<h1>Hi</h1>\n</html>")
    assert is_markup('<img src="a.png">text<br/>')
    assert not is_markup("Use <b>bold</b> here")
    assert not is_markup("a < b and c > d")


@pytest.mark.parametrize(
    "text", ["if x = " * 4000, "x=1+" * 8000 + "q", "<a " * 9000, "abc-def " * 5000 + "{"]
)
def test_a_long_line_takes_no_time(text: str) -> None:
    find_code_lines(text)
    is_markup(text)

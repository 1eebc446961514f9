"""The settings: what production insists on, what development makes up, and that both are written down."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, RequestFactory

ROOT = Path(settings.BASE_DIR)
NEEDED = {
    "SECRET_KEY": "a secret of a public site, with more than the fifty characters that Django asks for",
    "ALLOWED_HOSTS": "www.example.org",
    "SITE_URL": "https://www.example.org",
}

# What a site that sends mail has besides.
MAIL = {
    "NEWSLETTER_KEYS": "the key of links in mail with as many characters as it should have",
    "EMAIL_URL": "submission://user:password@mail.example.org:587",
}


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with these variables and nothing else of this machine's."""
    clean = {"PATH": os.environ["PATH"], "ENV_FILE": "", "VAR_DIR": str(folder / "var")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=clean | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def read(folder: Path, *names: str, **variables: str) -> list[Any]:
    """Return the values that these settings have under these variables."""
    program = f"import config.settings as s, json; print(json.dumps([s.{', s.'.join(names)}], default=str))"
    result = run(folder, "-c", program, **variables)
    assert result.returncode == 0, result.stderr
    values: list[Any] = json.loads(result.stdout)
    return values


@pytest.mark.parametrize(
    "missing",
    [["SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL"], ["SECRET_KEY"], ["ALLOWED_HOSTS"], ["SITE_URL"]],
    ids=" and ".join,
)
def test_production_names_all_that_is_missing_in_one_sentence(missing: list[str], tmp_path: Path) -> None:
    variables = {name: value for name, value in NEEDED.items() if name not in missing}
    result = run(tmp_path, "manage.py", "check", **variables)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Set {', '.join(missing)} in the environment")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_production_is_what_an_empty_environment_means(tmp_path: Path) -> None:
    assert read(tmp_path, "DEBUG", "DEMONSTRATION", **NEEDED) == [False, False]


def test_an_empty_variable_sets_nothing(tmp_path: Path) -> None:
    empty = dict.fromkeys(["DEBUG", "DATABASE_URL", "CACHE_URL", "EMAIL_URL", "SECURE_SSL_REDIRECT"], "")
    names = ["DEBUG", "DATABASES", "CACHES", "DEFAULT_FROM_EMAIL", "SECURE_SSL_REDIRECT"]
    assert read(tmp_path, *names, **NEEDED, **empty) == read(tmp_path, *names, **NEEDED)


@pytest.mark.parametrize("value", ["www.example.org", "ftp://www.example.org", "https://"])
def test_a_site_url_that_is_no_whole_address_is_refused(value: str, tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", **NEEDED | {"SITE_URL": value})
    assert result.returncode == 1
    assert "SITE_URL must be a whole address" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_value_that_cannot_be_read_is_named_in_one_sentence(tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", DEBUG="perhaps")
    assert result.returncode == 1
    assert '"DEBUG" invalid' in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_to_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path, "manage.py", "check", DEBUG="1", VAR_DIR=str(tmp_path / "file" / "var"))
    assert result.returncode == 1
    assert result.stderr.startswith(f"Cannot write to {tmp_path}/file/var")
    assert result.stderr.count("\n") == 1


def test_development_makes_a_secret_once_and_shows_it_to_nobody_else(tmp_path: Path) -> None:
    first = read(tmp_path, "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS", DEBUG="1", PORT="8123")
    assert first == read(tmp_path, "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS", DEBUG="1", PORT="8123")
    assert len(first[0]) >= 50
    assert first[1] == "http://127.0.0.1:8123"
    assert "127.0.0.1" in first[2]
    assert stat.S_IMODE((tmp_path / "var" / "secret-key").stat().st_mode) == 0o600


def test_two_working_copies_have_two_secrets(tmp_path: Path) -> None:
    assert read(tmp_path / "a", "SECRET_KEY", DEBUG="1") != read(tmp_path / "b", "SECRET_KEY", DEBUG="1")


def test_an_env_file_is_read_and_the_environment_overrides_it(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("TIME_ZONE=Europe/Berlin\nLANGUAGE_CODE=de\n")
    variables = NEEDED | {"ENV_FILE": str(file), "LANGUAGE_CODE": "en"}
    assert read(tmp_path, "TIME_ZONE", "LANGUAGE_CODE", **variables) == ["Europe/Berlin", "en"]


def test_mail_is_caught_in_development_and_sent_in_production(tmp_path: Path) -> None:
    caught = read(tmp_path, "EMAIL_BACKEND", "EMAIL_FILE_PATH", DEBUG="1")
    assert caught == ["django.core.mail.backends.filebased.EmailBackend", str(tmp_path / "var" / "mail")]
    sent = read(tmp_path, "EMAIL_BACKEND", "EMAIL_HOST", EMAIL_URL="submission://a:b@mx.example.org:587", **NEEDED)
    assert sent == ["django.core.mail.backends.smtp.EmailBackend", "mx.example.org"]


def test_the_newsletter_has_an_own_key_in_every_working_copy(tmp_path: Path) -> None:
    [[key]] = read(tmp_path, "NEWSLETTER_KEYS", DEBUG="1")
    assert [[key]] == read(tmp_path, "NEWSLETTER_KEYS", DEBUG="1")
    assert [key] != read(tmp_path, "SECRET_KEY", DEBUG="1")
    assert read(tmp_path, "NEWSLETTER_KEYS", **NEEDED) == [[]], "in production it is never made up"


def test_the_newsletters_keys_and_figures_come_from_the_environment(tmp_path: Path) -> None:
    names = ["NEWSLETTER_KEYS", "BOUNCE_ADDRESS", "MAIL_RATE", "SIGN_UP_BUDGET", "SENDER_LEASE_SECONDS"]
    assert read(tmp_path, *names, **NEEDED) == [[], "bounces@www.example.org", 0, 300, 120]
    given = ["new,old", "back@news.example.org", "2.5", "50", "30"]
    expected = [["new", "old"], "back@news.example.org", 2.5, 50, 30]
    assert read(tmp_path, *names, **NEEDED, **dict(zip(names, given, strict=True))) == expected


def test_mail_comes_back_to_the_senders_domain(tmp_path: Path) -> None:
    names = ["MAIL_DOMAIN", "BOUNCE_ADDRESS"]
    read_back = read(tmp_path, *names, DEFAULT_FROM_EMAIL="Backs <letter@news.example.org>", **NEEDED)
    assert read_back == ["news.example.org", "bounces@news.example.org"]


REVERSE = (
    "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup();"
    "from django.urls import resolve;"
    "print(resolve('/newsletter/webhooks/postmark/tracking/').func.view_class.__name__)"
)


def test_a_provider_reports_to_an_address_that_is_there_only_where_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text('MAIL_PROVIDER=postmark\nANYMAIL=\'{"WEBHOOK_SECRET": "postmark:a long password"}\'\n')
    assert run(tmp_path, "-c", REVERSE, **NEEDED | {"ENV_FILE": str(file)}).stdout == "PostmarkTrackingWebhookView\n"
    assert "Resolver404" in run(tmp_path, "-c", REVERSE, **NEEDED).stderr


@pytest.mark.parametrize("value", ["", "{}", '{"WEBHOOK_SECRET": ""}', '{"WEBHOOK_SECRET": "a:short"}'])
def test_a_provider_without_a_secret_is_refused(value: str, tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", MAIL_PROVIDER="postmark", ANYMAIL=value, **NEEDED, **MAIL)
    assert result.returncode == 1
    assert "WEBHOOK_SECRET" in result.stderr
    assert result.stderr.count("\n") == 1


def test_postgres_checks_the_connections_it_keeps(tmp_path: Path) -> None:
    [databases] = read(tmp_path, "DATABASES", DATABASE_URL="postgres://a:b@db.example.org/site", **NEEDED)
    assert databases["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert databases["default"]["CONN_HEALTH_CHECKS"] is True
    assert databases["default"]["CONN_MAX_AGE"] > 0


def test_https_rules_follow_the_address_of_the_site(tmp_path: Path) -> None:
    names = ["SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"]
    assert read(tmp_path, *names, **NEEDED) == [True, True, True, 31_536_000]
    assert read(tmp_path, *names, **NEEDED | {"SITE_URL": "http://intranet"}) == [False, False, False, 0]


def test_a_proxy_is_believed_only_where_there_is_one(tmp_path: Path) -> None:
    program = "import config.settings as s; print(getattr(s, 'SECURE_PROXY_SSL_HEADER', None))"
    assert run(tmp_path, "-c", program, **NEEDED).stdout.strip() == "None"
    assert "X_FORWARDED_PROTO" in run(tmp_path, "-c", program, BEHIND_PROXY="1", **NEEDED).stdout


def test_the_deployment_checks_of_django_have_nothing_to_say(tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **NEEDED, **MAIL)
    assert result.returncode == 0, result.stderr


def test_a_check_says_what_mail_still_needs(tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", **NEEDED)
    assert result.returncode == 1
    assert "newsletter.E001" in result.stderr
    assert "newsletter.W002" in result.stderr
    assert "HINT: Make one: python -c" in result.stderr


def test_the_example_names_every_setting_and_no_other() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    asked = set(re.findall(r"""(?:env\.\w+[(]|setting[(]env\.\w+, )["']([A-Z_]+)["']""", source))
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(asked) > 20
    assert sorted(named) == sorted(asked)


def test_the_example_can_be_used_once_its_three_gaps_are_filled(tmp_path: Path) -> None:
    variables = NEEDED | {"ENV_FILE": str(ROOT / ".env.example")}
    assert read(tmp_path, "SITE_URL", **variables) == [NEEDED["SITE_URL"]]
    filled = re.sub(r"^#(?=[A-Z_]+=)", "", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    (tmp_path / "env").write_text(filled)
    names = ["DEBUG", "CACHES", "LANGUAGE_CODE", "TIME_ZONE", "SECURE_SSL_REDIRECT", "SECURE_REFERRER_POLICY"]
    uncommented = read(tmp_path, *names, **NEEDED | {"ENV_FILE": str(tmp_path / "env")})
    # A cache URL says the same with one key more.
    uncommented[1]["default"].pop("LOCATION", None)
    assert uncommented == read(tmp_path, *names, **NEEDED)


# --- What the settings do to a running site -------------------------------------------------------


@pytest.mark.skipif("sqlite" not in settings.DATABASES["default"]["ENGINE"], reason="these are SQLite's settings")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("recursive_triggers", 1),
        ("foreign_keys", 1),
        ("cache_size", -65536),
    ],
)
def test_sqlite_is_opened_as_the_settings_say(pragma: str, value: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        assert cursor.fetchone() == (value,)


def policy(response: Any) -> dict[str, list[str]]:
    """Return the directives of a response's Content-Security-Policy."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.django_db
def test_a_page_allows_nothing_inline_and_nothing_from_elsewhere(client: Client) -> None:
    directives = policy(client.get("/no-such-page/"))
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == directives["img-src"] == ["'self'"]
    assert directives["base-uri"] == directives["frame-ancestors"] == ["'none'"]
    assert {source for sources in directives.values() for source in sources} == {"'self'", "'none'"}


def test_a_nonce_is_in_the_policy_only_where_a_page_has_asked_for_one(rf: RequestFactory) -> None:
    from csp.middleware import CSPMiddleware
    from django.http import HttpRequest, HttpResponse

    def page(request: HttpRequest) -> HttpResponse:
        nonce = request.csp_nonce if "ask" in request.path else ""  # type: ignore[attr-defined]
        return HttpResponse(f"<script nonce='{nonce}'></script>")

    middleware = CSPMiddleware(page)
    assert policy(middleware(rf.get("/")))["script-src"] == ["'self'"]
    [own, nonce] = policy(middleware(rf.get("/ask/")))["script-src"]
    assert own == "'self'"
    assert nonce.startswith("'nonce-")


@pytest.mark.django_db
def test_a_page_cannot_be_framed_or_guessed_at(client: Client) -> None:
    response = client.get("/no-such-page/")
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"


@pytest.mark.django_db
def test_a_page_varies_with_nothing_of_the_visitor_and_sets_no_cookie(client: Client) -> None:
    response = client.get("/no-such-page/", headers={"accept-language": "de"})
    assert "Accept-Language" not in response.get("Vary", "")
    assert "Cookie" not in response.get("Vary", "")
    assert not response.cookies


def test_a_form_may_have_as_many_fields_as_a_hundred_entries_need(rf: RequestFactory) -> None:
    fields = {f"entry-{number}": "text" for number in range(10_000)}
    assert len(rf.post("/", fields).POST) == 10_000

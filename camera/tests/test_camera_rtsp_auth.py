"""Logins, against the RFCs' own examples."""

from novavms_camera.rtsp.auth import Authenticator, parse_challenges
from novavms_camera.secret import Secret

MD5 = 'Digest realm="cam", nonce="n1", algorithm=MD5'
SHA = 'Digest realm="cam", nonce="n2", algorithm=SHA-256, qop="auth"'
BASIC = 'Basic realm="cam"'


def login(*challenges: str, user: str = "admin", password: str = "pw") -> Authenticator:
    authenticator = Authenticator(user, Secret(password), cnonce=lambda: "0a4f113b")
    assert authenticator.take(challenges)
    return authenticator


def test_digest_gives_the_answer_of_rfc_2617() -> None:
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    header = login(challenge, user="Mufasa", password="Circle Of Life").header("GET", "/dir/index.html")
    assert header is not None
    assert 'response="6629fae49393a05397450978507c4ef1"' in header
    assert "qop=auth, nc=00000001" in header
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in header


def test_digest_sha_256_gives_the_answer_of_rfc_7616() -> None:
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
    )
    authenticator = Authenticator(
        "Mufasa", Secret("Circle of Life"), cnonce=lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    )
    assert authenticator.take([challenge])
    header = authenticator.header("GET", "/dir/index.html")
    assert header is not None
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in header


def test_digest_without_qop_is_the_old_one_of_rfc_2069() -> None:
    header = login(MD5).header("DESCRIBE", "rtsp://cam/x")
    assert header is not None
    assert "qop" not in header
    assert "cnonce" not in header


def test_the_strongest_is_chosen() -> None:
    offers = parse_challenges([f"{BASIC}, {MD5}", SHA])
    assert [o.method for o in offers] == ["SHA-256", "MD5", "BASIC"]
    header = login(BASIC, MD5, SHA).header("DESCRIBE", "rtsp://cam/x")
    assert header is not None
    assert "SHA-256" in header


def test_a_refused_password_costs_one_try_a_method_and_is_never_sent_in_clear_after_a_digest() -> None:
    authenticator = login(BASIC, MD5, SHA)
    assert authenticator.take([BASIC, MD5, SHA])
    header = authenticator.header("DESCRIBE", "rtsp://cam/x")
    assert header is not None
    assert "Digest" in header
    assert not authenticator.take([BASIC, MD5, SHA])


def test_basic_is_used_where_nothing_else_is_offered() -> None:
    authenticator = login(BASIC, user="Aladdin", password="open sesame")
    assert authenticator.header("DESCRIBE", "rtsp://cam/x") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert not authenticator.take([BASIC])


def test_a_stale_nonce_is_renewed_without_counting_as_a_try() -> None:
    authenticator = login(MD5)
    assert authenticator.take([MD5.replace("n1", "n9") + ", stale=true"])
    header = authenticator.header("PLAY", "rtsp://cam/x")
    assert header is not None
    assert 'nonce="n9"' in header


def test_a_401_after_a_success_is_about_the_nonce_once() -> None:
    authenticator = login(MD5)
    authenticator.accepted()
    assert authenticator.take([MD5.replace("n1", "n9")])
    assert not authenticator.take([MD5.replace("n1", "n10")])


def test_without_credentials_nothing_is_tried() -> None:
    assert not Authenticator(None, None).take([MD5])


def test_what_we_do_not_speak_is_left_out() -> None:
    offers = [
        "Digest nonsense",
        'Digest realm="x", nonce="1", algorithm=SHA-512',
        "Bearer",
        "",
        'Digest realm="x"',
    ]
    assert parse_challenges(offers) == []


def test_a_user_name_with_quotes_stays_one_value() -> None:
    header = login(MD5, user='a"b\\c').header("DESCRIBE", "rtsp://cam/x")
    assert header is not None
    assert r'username="a\"b\\c", realm' in header

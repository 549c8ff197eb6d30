"""shioaji 1.2 as in a rehearsal, but with the broker of the tests."""

from stand_in_broker import Journaled, face

face_1_2 = face("1_2")
__version__, constant = face_1_2.__version__, face_1_2.constant


def timeout(api_key):
    return TimeoutError(f"Topic: api/v1/auth/token_login, Client: PYAPI/{api_key[:10]}/1123")


class Shioaji(Journaled, face_1_2.Shioaji):
    errors = face_1_2.ERRORS | {"connection": timeout}

"""shioaji 1.7 as in a rehearsal, but with the broker of the tests."""

from stand_in_broker import Journaled, face

face_1_7 = face("1_7")
__version__, constant = face_1_7.__version__, face_1_7.constant


class ShioajiConnectionError(face_1_7.ShioajiError, ConnectionError):
    pass


def refused(_):
    return ShioajiConnectionError("login: connection error")


class Shioaji(Journaled, face_1_7.Shioaji):
    errors = face_1_7.ERRORS | {"connection": refused}

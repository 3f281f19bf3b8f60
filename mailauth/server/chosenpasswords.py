"""
What somebody may choose as the password of his account, where he types it himself. Owns what is too
short and what is guessed first (NIST SP 800-63B section 5.1.1.2): there are no rules about capitals
and digits, which make passwords no better.

An administrator's command takes whatever can be set: what he chooses is his business.
"""

from __future__ import annotations

from string import digits, punctuation

from ..passwords import UnusablePassword, checkChosen

MIN_LENGTH = 8
"""
Characters.
"""

_FEWEST_LETTERS = 3
"""
How many different ones there have to be.
"""

# What leads every list of passwords that were stolen. All that is looked at at a sign-in are ten
# guesses a minute for one account: the first few hundred decide, not the first ten million.
_WORDS = """
01234567 012345678 0123456789 09876543 0987654321 10203040 11223344 1122334455 11235813
12121212 12312312 123123123 12341234 1234512345 12345678 123456789 1234567890 12345679
123454321 123456123 123654789 12344321 147258369 13131313 13579246 135792468 14725836 159753456
1qaz2wsx 1qazxsw2 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 23456789 19841984 20202020
31415926 741852963 78945612 789456123 87654321 876543210 963852741 987654321 9876543210
a1b2c3d4 a1s2d3f4 aa123456 abc12345 abcd1234 abcdefgh abcdefghi access admin
administrator alexander amanda america andrea angel angels anthony apple arsenal asdf1234
asdfasdf asdfgh asdfghjk asdfghjkl ashley austin babygirl bailey barcelona baseball
basketball batman benjamin blink blessed butterfly caroline changeit changeme charlie cheese
chelsea chocolate christian christine chris chocolat computer cookie corvette creative daniel
danielle default demo diamond dolphin dragon elephant elizabeth einstein everton facebook family
ferrari fernando flower football forever freedom friends garfield george gfhjkm
ginger google guest hallo hannah happy harley hello hockey hunter iloveme iloveyou internet
jackson jasmine jennifer jessica jesus jonathan jordan joseph joshua justin killer liverpool
letmein login london lovely loveme lover loveyou maggie manchester marina marlboro martin master
matrix matthew maverick melissa mercedes metallica michael michelle microsoft midnight monkey
montana mountain mustang naruto nathan natasha nicholas nicole nintendo nothing november oliver
orange p@ssw0rd p@ssword pa55word pakistan panther pass passw0rd passwd passwort password
pepper phoenix player playboy pokemon porsche princess purple qazwsx qazwsxedc
qwe123qwe qweasd qweasdzxc qwer1234 qwerasdf qwerqwer qwert qwerty qwertyu qwertyui qwertyuiop
qwertz qwertzui qwertzuiop azerty azertyui azertyuiop rainbow rangers realmadrid rebecca
remember richard robert root samantha samsung scooter secret security september server shadow
sharon silver slipknot snoopy snowball soccer sommer spiderman spring starwars startrek
steelers stephanie steven summer sunflower sunshine superman superstar swordfish taylor temp
test testing testtest thomas thunder tigger trinity trustno1 undertaker united user vanessa
victoria victory warcraft warrior welcome whatever william willow windows winner winter wizard
xxxxxxxx yankees yellow zaq12wsx zaq1zaq1 zxcvbn zxcvbnm
"""
_COMMON = frozenset(_WORDS.split())


class TooShort(UnusablePassword):
    """
    A password of a few characters.
    """


class TooCommon(UnusablePassword):
    """
    A password that is among the first that somebody would try.
    """


def checkOwnChoice(password: str, account: str, hostname: str) -> None:
    """
    Return if the owner of an account may choose this.

    @param account: its name, which is no password.
    @param hostname: what people call the server, which is none, either.
    @raise UnusablePassword: he may not.
    """
    checkChosen(password.encode("utf-8"))
    if len(password) < MIN_LENGTH:
        raise TooShort(f"The password is short: choose one of at least {MIN_LENGTH} characters.")
    folded = password.casefold()
    # A digit or a sign at the end is what everybody adds who is made to.
    guessed = {folded, folded.strip(digits + punctuation)}
    known = _COMMON.union((account, *account.split("@"), hostname))
    if not known.isdisjoint(guessed) or len(set(folded)) < _FEWEST_LETTERS:
        raise TooCommon("Many people have this password: choose another one.")

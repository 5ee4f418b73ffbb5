"""Every reason of the policy, every action and every scope, in words.

`reason` gives the sentence in English; with flask_babel's `gettext` in the user's language.
"""

from collections.abc import Callable

from eop.aaa.policy import Action, Decision, Scope
from eop.directory import days
from eop.directory.users import EVERYTHING
from eop.errors import N_

Translate = Callable[[str], str]


SENTENCES: dict[str, str] = {
    "anywhere": N_("The role %(role)s gives this right everywhere."),
    "self": N_("It is one's own account."),
    "every_room": N_("Every room was granted."),
    "every_class": N_("Every class was granted."),
    "granted_room": N_("The room %(room)s was granted."),
    "granted_class": N_("The class %(class)s was granted."),
    "headed_class": N_("This is the head teacher of the class %(class)s."),
    "temporary_room": N_("The room %(room)s was granted until %(until)s by %(by)s."),
    "temporary_class": N_("The class %(class)s was granted until %(until)s by %(by)s."),
    "temporary_every_room": N_("Every room was granted until %(until)s by %(by)s."),
    "temporary_every_class": N_("Every class was granted until %(until)s by %(by)s."),
    "signed_out": N_("Nobody is signed in."),
    "state": N_("The account is not active (%(state)s)."),
    "role": N_("The role %(role)s does not give this right."),
    "grant": N_("The role gives this right where a room or class was granted; here none was."),
    "switched_off": N_("An administrator has closed all screens."),
    "rewind_off": N_("The last minutes are not kept in this room."),
}

ROLES: dict[str, str] = {
    "student": N_("Student"),
    "teacher": N_("Teacher"),
    "head_teacher": N_("Head teacher"),
    "administrator": N_("Administrator"),
    "security_officer": N_("Security officer"),
}

STATES: dict[str, str] = {
    "active": N_("active"),
    "disabled": N_("disabled"),
    "expired": N_("expired"),
    "locked": N_("locked"),
}

ACTIONS: dict[Action, str] = {
    "sign_in": N_("Sign in"),
    "observe": N_("Open the pages of watching"),
    "tile": N_("See small pictures on the wall"),
    "view": N_("View one screen"),
    "control": N_("Control one screen"),
    "act": N_("Act on workstations"),
    "account": N_("Look after one's own account"),
    "administer": N_("Open the administration"),
    "read_audit": N_("Read the audit"),
    "export_audit": N_("Export the audit"),
    "import_people": N_("Import people"),
    "manage_people": N_("Change accounts"),
    "explain_policy": N_("Have rights explained"),
    "substitute": N_("Give rights for some days"),
    "close_screens": N_("Close all screens"),
    "class_passwords": N_("Give the students of a class new passwords"),
    "class_report": N_("Read who looked at the screens of a class"),
    "rewind": N_("Look at the last five minutes of a screen"),
    "set_rooms": N_("Change the settings of rooms"),
    "lesson": N_("Give a lesson"),
    "manage_workstations": N_("Change rooms and workstations"),
    "manage_sessions": N_("End anybody's sessions"),
    "read_settings": N_("Read the settings"),
    "check_health": N_("Have everything checked"),
    "documents": N_("Look after documents one has given"),
    "distribute": N_("Give, collect and return documents"),
    "own_documents": N_("Open the documents one was given"),
    "test_mail": N_("Send a test mail"),
    "student_password": N_("Give one student a new password"),
}

SCOPES: dict[Scope, str] = {
    Scope.ANYWHERE: N_("everywhere"),
    Scope.OWN: N_("own account"),
    Scope.GRANTED: N_("granted rooms and classes"),
    Scope.LASTING_CLASSES: N_("classes granted for good"),
    Scope.HEADED_CLASSES: N_("classes whose head teacher one is"),
}


def reason(
    decision: Decision, translate: Translate = str, told_end: Callable[[int], str] = days.told_end
) -> str:
    """Why, as a sentence."""
    arguments = dict(decision.arguments)
    if "until" in arguments:
        arguments["until"] = told_end(int(arguments["until"]))
    for name, words in (("role", ROLES), ("state", STATES)):
        if name in arguments:
            asked = str(arguments[name]).split(", ")
            arguments[name] = ", ".join(translate(words.get(one, one)) for one in asked)
    code = decision.reason
    if EVERYTHING in (arguments.get("room"), arguments.get("class")):
        code = code.replace("temporary_", "temporary_every_")
    return translate(SENTENCES[code]) % arguments

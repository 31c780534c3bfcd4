"""The sentences for the notice beside the screen, as far as the rules decide what they say."""

from __future__ import annotations

from .rules import Rules

ENGLISH = {
    "camera": (
        "A camera at this screen counts how many people are in front of it and estimates their age group and "
        "gender by computer{purpose}. Estimates are often wrong."
    ),
    "steer": ", so that the screen can choose what it shows",
    "plain": "",
    "kept": (
        "No picture is kept or sent and nobody is recognised; who leaves is forgotten at once. At most, "
        "totals of groups are kept."
    ),
    "children": "Whoever looks younger than {age} does not change what is shown.",
    "random": "At times what is shown is drawn by chance, to see what it is worth.",
    "ask": "Questions, or do you not want this? Ask: {contact}.",
}
KOREAN = {
    "camera": (
        "이 화면의 카메라는 화면 앞에 있는 사람의 수를 세고, 컴퓨터로 연령대와 성별을 추정합니다{purpose}. "
        "추정은 자주 틀립니다."
    ),
    "steer": ". 화면에 보여 줄 내용을 고르기 위해서입니다",
    "plain": "",
    "kept": (
        "사진은 저장하거나 전송하지 않으며 누구인지 알아보지 않습니다. 자리를 떠나면 바로 잊습니다. "
        "남는 것은 많아야 집단별 합계입니다."
    ),
    "children": "{age}세 미만으로 보이는 사람은 화면 내용에 영향을 주지 않습니다.",
    "random": "효과를 알아보려고 때때로 내용을 무작위로 고릅니다.",
    "ask": "궁금한 점이 있거나 원하지 않으시면 문의해 주세요: {contact}.",
}
TEXTS = {"en": ENGLISH, "ko": KOREAN}
#: Stands where whoever hangs the notice up has to write.
CONTACT = "________________"


def notice(rules: Rules, language: str, contact: str = CONTACT) -> str:
    """Return the notice for a screen with these rules.

    language: "en" or "ko". contact: whom to ask, such as "the desk" or a telephone number.
    """
    texts = TEXTS[language]
    steers = any(content.steered for content in rules.contents)
    sentences = [texts["camera"].format(purpose=texts["steer" if steers else "plain"]), texts["kept"]]
    if steers and rules.steer_from_age:
        sentences.append(texts["children"].format(age=rules.steer_from_age))
    if rules.random_share:
        sentences.append(texts["random"])
    sentences.append(texts["ask"].format(contact=contact))
    return " ".join(sentences)

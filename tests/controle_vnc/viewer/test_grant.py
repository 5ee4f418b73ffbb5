import asyncio

from controle_vnc.viewer.grant import Closing


def test_who_waits_is_told_the_first_code():
    async def play():
        closing = Closing()
        waiting = asyncio.create_task(closing.wait())  # noqa: TID251
        await asyncio.sleep(0)
        closing.close("signed_out")
        closing.close("stopping")
        await waiting
        return closing.code

    assert asyncio.run(play()) == "signed_out"

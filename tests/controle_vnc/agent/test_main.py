from controle_vnc.agent.__main__ import main


def test_it_says_in_one_sentence_that_there_is_no_agent_yet(capsys):
    assert main() == 2
    assert "no workstation agent yet" in capsys.readouterr().err

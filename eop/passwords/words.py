"""Words that any student can read and type: French, without accents, none of them unkind.

No small l, and none that begins with i or o: beside figures these look like others.
"""

WORDS: tuple[str, ...] = tuple(
    """
    abri aimant amande ancre anis arbre arche argent armoire astre avion avoine
    bague barque bateau biche bison bonnet bosquet bouton branche brebis brique brise bronze brume
    buisson butte cabane cacao cadre caisse camion canard canot carafe carotte carte casque castor
    cerf cerise champ chant chat chemin chou citron coffre copain couronne craie crayon cube cuivre
    cygne daim danse dauphin disque dragon drap dune encre escargot faon farine faucon figue foin
    forge fourmi fraise framboise fruit fusain gant garage gazon genou gerbe givre gomme goutte
    grain grange grappe guide guitare hamac hamster haricot harpe herbe hibou hiver jade jardin
    jasmin jeton jonc jour jupe kayak kiwi marin matin menthe mesure miroir montre moteur moto
    mousse mouton muguet musique nacre nage natte navire neige noix nombre note nuage panda panier
    papier paquet parc patin peigne pente perche perdrix phare phoque piano pierre pigeon pinceau
    pinson piste pivert poisson pomme pompe poney pont porte poterie prairie prune puits quai
    quartz radis raisin rame rampe raton renard requin rive robe robot roche rose roseau route
    ruban ruche saison sapin sardine saumon savane savon scie seau semis sirop soie source souris
    sport stade statue sucre tabouret tambour tapis tarte tasse taupe temps terre texte tigre
    timbre tiroir toit tomate tonneau tortue train trousse turban vague vase vent verger verre
    vigne voiture voyage wagon yaourt yourte zeste zinc zone
    """.split()  # noqa: SIM905 - in lines it can be read
)

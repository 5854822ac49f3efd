"""Names and addresses in imprints, as they are written in several countries; sentences are none."""

import pytest

from guardian.evidence.imprint_text import holder_in, names_in, postal_addresses_in


@pytest.mark.parametrize(
    ("text", "names", "addresses"),
    [
        (
            "Impressum\nKaffee GmbH\nMusterstraße 1\n10115 Berlin\nGeschäftsführer: Max Mustermann",
            ["Kaffee GmbH", "Max Mustermann"],
            ["Musterstraße 1, 10115 Berlin"],
        ),
        ("Prints Ltd\n12 High Street\nLondon SW1A 1AA", ["Prints Ltd"], ["12 High Street, London SW1A 1AA"]),
        ("Acme, Inc.\n1 Main St\nSpringfield, IL 62701", ["Acme, Inc."], ["1 Main St, Springfield, IL 62701"]),
        (
            "Éditeur : SARL Les Images, 12 rue de la Paix, 75002 Paris\nDirecteur de la publication : Jeanne Martin",
            ["SARL Les Images", "Jeanne Martin"],
            ["SARL Les Images, 12 rue de la Paix, 75002 Paris"],
        ),
        ("Fotos S.L.\nCalle Mayor 5, 28013 Madrid", ["Fotos S.L."], ["Calle Mayor 5, 28013 Madrid"]),
        ("Inhaberin: Erika Muster\nA-1010 Wien", ["Erika Muster"], ["A-1010 Wien"]),
        ("Art B.V.\nKeizersgracht 12\n1015 CJ Amsterdam", ["Art B.V."], ["Keizersgracht 12, 1015 CJ Amsterdam"]),
        ("Registergericht: AG Charlottenburg, HRB 12345\nVolksbank AG, IBAN DE02 1203", [], []),
        ("Seit 2010 in Berlin\n10000 zufriedene Kunden\nAB 19,90 EUR\nmehr als 12345 Bilder", [], []),
        ("Website-Betreiber: Kaffee GmbH\n10115 Berlin, Germany", ["Kaffee GmbH"], ["10115 Berlin, Germany"]),
        ("Hosting: Wolken SE\nBildnachweis: Agentur X GmbH\nCrédits photo : Images SARL", [], []),
        ("Owner of all photos: all rights reserved\nHébergeur : Nuages SAS, 59100 Roubaix", [], []),
        (
            "Firma:\nKaffee GmbH\nAnschrift:\nMusterstraße 1\nPLZ/Ort:\n10115 Berlin\nVertreten durch\nMax Mustermann",
            ["Kaffee GmbH", "Max Mustermann"],
            ["Musterstraße 1, 10115 Berlin"],
        ),
        (
            "Propriétaire :\nJeanne Martin\nHébergeur :\nNuages SAS\nOwner:\nTel: 03012\nInhaber:\nowner@shop.example",
            ["Jeanne Martin"],
            [],
        ),
        (
            "Angaben gemäß § 5 DDG\nErika Muster\nWeg 3\n12345 Musterstadt\nVerantwortlich nach § 18 MStV:\nMax Muster",
            ["Erika Muster", "Max Muster"],
            ["Weg 3, 12345 Musterstadt"],
        ),
        (f"{'x ' * 80}GmbH\n{'y ' * 80}10115 Berlin", [], []),
    ],
)
def test_names_and_postal_addresses(text: str, names: list[str], addresses: list[str]) -> None:
    lines = text.splitlines()
    assert (list(names_in(lines)), list(postal_addresses_in(lines))) == (names, addresses)


ADDRESS = "Weg 1\n10115 Berlin"


@pytest.mark.parametrize(
    ("text", "holder"),
    [
        (f"Impressum\nKaffee GmbH\n{ADDRESS}\nGeschäftsführer: Max Muster\n© 2026 Kaffee GmbH", "Kaffee GmbH"),
        (
            "Firma: Kaffee GmbH, Weg 1, 10115 Berlin\nCopyright 2020-2026 Kaffee GmbH. All rights reserved.",
            "Kaffee GmbH",
        ),
        (f"Kaffee GmbH & Co. KG\n{ADDRESS}\nvertreten durch:\nKaffee Verwaltungs GmbH", "Kaffee GmbH & Co. KG"),
        (f"Angaben gemäß § 5 DDG\nErika Muster\n{ADDRESS}", "Erika Muster"),
        ("Owner of this site: Jane Doe, 1 Main St", "Jane Doe"),
        ("Website-Betreiber: Kaffee GmbH\nKaffee GmbH 2026", "Kaffee GmbH"),
        (f"Angaben gemäß § 5 TMG\nKaffee GmbH\n{ADDRESS}\n© 2026 Kaffee GmbH | Impressum | Datenschutz", "Kaffee GmbH"),
        ("Mentions légales\nÉditeur du site : Images SARL\n12 rue de la Paix, 75002 Paris", "Images SARL"),
        ("Titular: Fotos S.L.\nDomicilio: Calle Mayor 5, 28013 Madrid", "Fotos S.L."),
        (f"Betreiberin: Dr. Anna-Lena von der Heide\n{ADDRESS}", "Dr. Anna-Lena von der Heide"),
        # What follows a heading may be no name.
        (f"Angaben gemäß § 5 TMG\nZuletzt geändert am 1. Mai\n{ADDRESS}", None),
        ("Inhaber\nTelefon 030 123", None),
        ("Diensteanbieter\nAls Diensteanbieter sind wir nach den Gesetzen verantwortlich", None),
        (f"Agentur X GmbH\nImpressum\nMax Muster\n{ADDRESS}", None),
        # Two companies, though the name of one is a part of the other's.
        (f"Kaffee GmbH & Co. KG\n{ADDRESS}\nGesellschafterin Kaffee GmbH", None),
        (f"Smart Ltd\n{ADDRESS}\nArt Ltd", None),
        # Whoever made the site, its pictures or its rules, and who only acts for a company.
        (f"Max Muster\n{ADDRESS}\nWebdesign\nAgentur X GmbH", None),
        (f"Max Muster\n{ADDRESS}\nAgentur X GmbH\nAllee 9\n80331 München", None),
        (f"Powered by Agentur X GmbH\n{ADDRESS}", None),
        (f"Vermarktung: Agentur X GmbH\n{ADDRESS}", None),
        (f"Inhaber: Max Muster\n{ADDRESS}\nAgentur X GmbH", None),
        (f"Owner of all photos: Jane Doe\n{ADDRESS}", None),
        (f"Inhaber der Bildrechte: Jane Doe\n{ADDRESS}", None),
        (f"Kaffeestiftung\n{ADDRESS}\nGeschäftsführer: Max Muster\nVerantwortlich: Max Muster", None),
        (f"Max Muster\nSchlichtungsstelle e.V.\n{ADDRESS}", None),
        (f"© 2026 Getty Images\n{ADDRESS}", None),
        ("Owner: jane@doe.example", None),
        ("", None),
    ],
)
def test_whose_a_site_is(text: str, holder: str | None) -> None:
    assert holder_in(text.splitlines()) == holder

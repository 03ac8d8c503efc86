"""The first ready-made words to owners; moderators change them in the admin."""

PHRASES = [
    "Please say who is behind the project: names, roles, and what each has done before.",
    "Please say what the money is spent on, with an amount for each part.",
    "Please name the risks plainly. All of the money can be lost, and readers have to know how.",
    "The return that you promise needs an explanation: where does it come from, and what if it does not?",
    "Please use pictures that you own or may use, and that show the project itself.",
    "The goal and what you plan to do do not fit together. Please correct one of them or explain.",
    "Please write the summary for people who have never heard of the project.",
]

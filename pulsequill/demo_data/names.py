"""Where Northwind's customers live and what they are called: forty countries, real-looking names, no real people."""

from __future__ import annotations

#: Naming culture -> first names, last names.
NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "english": (
        ("Olivia", "James", "Grace", "Henry", "Chloe", "Oscar", "Ruby", "Theo", "Ivy", "Miles", "Hazel", "Arthur"),
        ("Walsh", "Carter", "Hughes", "Bennett", "Ellis", "Palmer", "Fletcher", "Reid", "Marsh", "Holloway", "Pike"),
    ),
    "german": (
        ("Lena", "Jonas", "Emma", "Paul", "Mia", "Felix", "Anna", "Moritz", "Clara", "Ben", "Frieda", "Anton"),
        ("Schneider", "Weber", "Becker", "Hoffmann", "Koch", "Richter", "Wolf", "Neumann", "Vogel", "Brandt"),
    ),
    "nordic": (
        ("Astrid", "Erik", "Freja", "Lars", "Ingrid", "Magnus", "Signe", "Nils", "Saga", "Emil", "Tuva", "Aksel"),
        ("Lindqvist", "Berg", "Halvorsen", "Nyström", "Dahl", "Sørensen", "Holm", "Ekström", "Lund", "Korhonen"),
    ),
    "french": (
        ("Camille", "Louis", "Manon", "Hugo", "Inès", "Jules", "Léa", "Gabriel", "Zoé", "Nathan", "Élise", "Rémi"),
        ("Dubois", "Moreau", "Laurent", "Girard", "Roux", "Fontaine", "Lefèvre", "Mercier", "Chevalier", "Marchand"),
    ),
    "iberian": (
        ("Lucía", "Mateo", "Sofía", "Diego", "Valentina", "Pablo", "Inês", "Tiago", "Carmen", "Rafael", "Alba"),
        ("García", "Navarro", "Ferreira", "Silva", "Romero", "Costa", "Vargas", "Mendes", "Castillo", "Rojas"),
    ),
    "italian": (
        ("Giulia", "Marco", "Chiara", "Luca", "Francesca", "Matteo", "Elena", "Davide", "Sara", "Nicola", "Bianca"),
        ("Rossi", "Conti", "Ricci", "Moretti", "Gallo", "Ferrari", "Greco", "Marchetti", "Rinaldi", "Caruso"),
    ),
    "slavic": (
        ("Zofia", "Jakub", "Eliška", "Marek", "Ana", "Ivan", "Katarina", "Tomasz", "Petra", "Luka", "Milena"),
        ("Kowalska", "Novák", "Horvat", "Nowak", "Svoboda", "Petrov", "Zielińska", "Kovač", "Dvořák", "Marić"),
    ),
    "asian": (
        ("Yuki", "Haruto", "Mei", "Wei", "Sora", "Min-jun", "Ji-woo", "Linh", "Aiko", "Kenji", "Xin", "Hana"),
        ("Tanaka", "Sato", "Chen", "Lin", "Kim", "Park", "Nguyen", "Wong", "Mori", "Choi", "Huang", "Ito"),
    ),
    "indian": (
        ("Ananya", "Arjun", "Priya", "Rohan", "Kavya", "Vikram", "Meera", "Nikhil", "Isha", "Dev", "Tara", "Kiran"),
        ("Sharma", "Iyer", "Mehta", "Kapoor", "Reddy", "Nair", "Desai", "Bose", "Chandra", "Perera"),
    ),
    "african": (
        ("Amara", "Kofi", "Zainab", "Tendai", "Nia", "Kwame", "Wanjiru", "Sipho", "Imani", "Abebe", "Lerato"),
        ("Okafor", "Mensah", "Mwangi", "Dlamini", "Tesfaye", "Adeyemi", "Banda", "Ndlovu", "Otieno", "Achieng"),
    ),
    "levantine": (
        ("Leila", "Omar", "Yasmin", "Karim", "Noor", "Elif", "Emre", "Tariq", "Salma", "Deniz", "Rania", "Can"),
        ("Haddad", "Yılmaz", "Mansour", "Demir", "Khalil", "Nasser", "Kaya", "Farouk", "Aydın", "Saleh"),
    ),
}

#: Country, city, time zone, naming culture, and how many customers it has relative to the others.
PLACES: tuple[tuple[str, str, str, str, int], ...] = (
    ("Sweden", "Gothenburg", "Europe/Stockholm", "nordic", 30),
    ("Sweden", "Stockholm", "Europe/Stockholm", "nordic", 34),
    ("Norway", "Bergen", "Europe/Oslo", "nordic", 16),
    ("Denmark", "Copenhagen", "Europe/Copenhagen", "nordic", 22),
    ("Finland", "Helsinki", "Europe/Helsinki", "nordic", 14),
    ("Iceland", "Reykjavík", "Atlantic/Reykjavik", "nordic", 4),
    ("Germany", "Berlin", "Europe/Berlin", "german", 34),
    ("Germany", "Hamburg", "Europe/Berlin", "german", 20),
    ("Austria", "Vienna", "Europe/Vienna", "german", 10),
    ("Switzerland", "Zürich", "Europe/Zurich", "german", 10),
    ("Netherlands", "Utrecht", "Europe/Amsterdam", "german", 18),
    ("Belgium", "Ghent", "Europe/Brussels", "french", 10),
    ("Luxembourg", "Luxembourg", "Europe/Luxembourg", "french", 3),
    ("France", "Lyon", "Europe/Paris", "french", 18),
    ("France", "Nantes", "Europe/Paris", "french", 10),
    ("United Kingdom", "London", "Europe/London", "english", 32),
    ("United Kingdom", "Bristol", "Europe/London", "english", 14),
    ("Ireland", "Dublin", "Europe/Dublin", "english", 12),
    ("Spain", "Valencia", "Europe/Madrid", "iberian", 12),
    ("Portugal", "Porto", "Europe/Lisbon", "iberian", 10),
    ("Italy", "Turin", "Europe/Rome", "italian", 12),
    ("Malta", "Valletta", "Europe/Malta", "italian", 2),
    ("Greece", "Thessaloniki", "Europe/Athens", "levantine", 5),
    ("Poland", "Kraków", "Europe/Warsaw", "slavic", 14),
    ("Czechia", "Brno", "Europe/Prague", "slavic", 9),
    ("Croatia", "Zagreb", "Europe/Zagreb", "slavic", 4),
    ("Slovenia", "Ljubljana", "Europe/Ljubljana", "slavic", 4),
    ("Slovakia", "Bratislava", "Europe/Bratislava", "slavic", 3),
    ("Estonia", "Tallinn", "Europe/Tallinn", "nordic", 4),
    ("Turkey", "Izmir", "Europe/Istanbul", "levantine", 6),
    ("Lebanon", "Beirut", "Asia/Beirut", "levantine", 3),
    ("United States", "Portland", "America/Los_Angeles", "english", 26),
    ("United States", "Brooklyn", "America/New_York", "english", 24),
    ("Canada", "Montréal", "America/Toronto", "french", 12),
    ("Canada", "Vancouver", "America/Vancouver", "english", 10),
    ("Mexico", "Oaxaca", "America/Mexico_City", "iberian", 6),
    ("Colombia", "Medellín", "America/Bogota", "iberian", 7),
    ("Brazil", "São Paulo", "America/Sao_Paulo", "iberian", 8),
    ("Chile", "Santiago", "America/Santiago", "iberian", 4),
    ("Japan", "Kyoto", "Asia/Tokyo", "asian", 9),
    ("South Korea", "Seoul", "Asia/Seoul", "asian", 9),
    ("Taiwan", "Taipei", "Asia/Taipei", "asian", 6),
    ("Singapore", "Singapore", "Asia/Singapore", "asian", 6),
    ("Vietnam", "Đà Lạt", "Asia/Ho_Chi_Minh", "asian", 4),
    ("India", "Bengaluru", "Asia/Kolkata", "indian", 9),
    ("Sri Lanka", "Colombo", "Asia/Colombo", "indian", 3),
    ("Kenya", "Nairobi", "Africa/Nairobi", "african", 5),
    ("Ethiopia", "Addis Ababa", "Africa/Addis_Ababa", "african", 4),
    ("Ghana", "Accra", "Africa/Accra", "african", 3),
    ("South Africa", "Cape Town", "Africa/Johannesburg", "african", 6),
    ("Australia", "Melbourne", "Australia/Melbourne", "english", 14),
    ("New Zealand", "Wellington", "Pacific/Auckland", "english", 8),
)

"""Latin spellings of Arabic names, as they are in passports of Kuwait, share a key."""

from __future__ import annotations

import pytest

from clearance.core.name_folding import fold_name
from clearance.core.name_spellings import LONGEST, MOST_KEYS, keys


def keys_of(name: str) -> set[str]:
    return set(keys(fold_name(name)))


@pytest.mark.parametrize(
    ("arabic", "spellings"),
    [
        ("محمد", "Mohammed Muhammad Mohamed Mohammad Mohd Muhamad"),
        ("حسين", "Hussain Hussein Husain Husayn Hosein"),
        ("حسن", "Hassan Hasan"),
        ("يوسف", "Yousef Yusuf Youssef Yousuf"),
        ("عبدالرحمن", "Abdulrahman Abdelrahman Abdurrahman Abdalrahman"),
        ("عبدالله", "Abdullah Abdulla Abdallah"),
        ("عبداللطيف", "Abdullatif Abdulatif Abdellatif Abdullateef"),
        ("عبدالعزيز", "Abdulaziz Abdelaziz Abdulazeez"),
        ("أحمد", "Ahmed Ahmad"),
        ("علي", "Ali Aly"),
        ("فاطمة", "Fatima Fatemah Fatma Fatmah"),
        ("العتيبي", "Alotaibi Otaibi Alutaibi Otaiby"),
        ("الدوسري", "Aldousari Dosari Aldosary"),
        ("المطيري", "Almutairi Mutairi Motairi"),
        ("العنزي", "Alenezi Enezi Anazi Alanazi"),
        ("الشمري", "Alshammari Shammari"),
        ("خالد", "Khalid Khaled"),
        ("عثمان", "Othman Osman Uthman"),
        ("إسحاق", "Ishaq Ishak"),
        ("فتحي", "Fathi Fathy"),
        ("نواف", "Nawaf"),
        ("نايف", "Nayef Naif"),
        ("فائز", "Fayez Faiz Faez"),
        ("عائشة", "Aisha Aysha Ayesha"),
        ("مريم", "Mariam Maryam"),
        ("ليلى", "Laila Layla Leila"),
        ("زينب", "Zainab Zaynab"),
        ("داود", "Daoud Dawood Dawoud"),
        ("سعود", "Saud Saoud"),
        ("سعيد", "Saeed Said"),
        ("سعد", "Saad"),
        ("جاسم", "Jassim Jasem"),
        ("قاسم", "Qasim Kassem Qassem"),
        ("سليمان", "Sulaiman Soliman Suleiman Sulayman"),
        ("إبراهيم", "Ibrahim Ebrahim Ibraheem"),
        ("إسماعيل", "Ismail Ismaeel Esmail"),
        ("ناصر", "Nasser Nasir Naser"),
        ("مشاري", "Mishari Meshari"),
        ("مشعل", "Mishal Meshal"),
        ("نورة", "Noura Nora Nourah"),
        ("بدر", "Bader Badr"),
        ("ظافر", "Dhafer Thafer Zafer"),
        ("الظفيري", "Dhafiri Thafiri Aldhafeeri"),
        ("ثامر", "Thamer Tamer"),
        ("صالح", "Saleh Salih"),
        ("سالم", "Salem Salim"),
        ("سلام", "Salam"),
        ("سليم", "Saleem Salim"),
        ("عمر", "Omar Umar"),
        ("عيسى", "Eisa Issa Eissa Isa"),
        ("منى", "Muna Mona"),
        ("هدى", "Huda Hoda"),
        ("شيخة", "Shaikha Sheikha Shekha"),
        ("راشد", "Rashed Rashid"),
        ("وليد", "Waleed Walid"),
        ("طارق", "Tariq Tarek Tareq"),
        ("يحيى", "Yahya Yehia"),
        ("مصطفى", "Mustafa Mostafa"),
        ("الفيلكاوي", "Alfailakawi Failakawi"),
        ("الكندري", "Alkandari Kandari"),
        ("المنصوري", "Almansouri Mansouri"),
        ("أبوبكر", "Abubakr Aboubakr Abubaker"),
        ("الخالدي", "Alkhaldi Khaldi Alkhalidi"),
        ("لطيفة", "Latifa Latifah Lateefa"),
        ("أسامة", "Osama Usama"),
        ("رضا", "Reda Ridha"),
        ("زياد", "Ziad Ziyad"),
        ("مبارك", "Mubarak Mobarak"),
        ("القحطاني", "Alqahtani Qahtani"),
        ("العجمي", "Alajmi Ajmi"),
    ],
)
def test_a_name_and_its_spellings_share_a_key(arabic: str, spellings: str) -> None:
    for spelling in spellings.split():
        assert keys_of(arabic) & keys_of(spelling), spelling


@pytest.mark.parametrize(
    ("arabic", "other"),
    [
        ("حسين", "Hassan"),
        ("حسن", "Hussain"),
        ("محمد", "Mahmoud"),
        ("محمود", "Mohammed"),
        ("نايف", "Nawaf"),
        ("نواف", "Nayef"),
        ("جاسم", "Qasim"),
        ("كمال", "Jamal"),
        ("سلام", "Saleem"),
        ("سلام", "Salem"),
        ("أحمد", "Hamad"),
        ("خالد", "Khulood"),
    ],
)
def test_names_of_different_vowels_or_consonants_share_none(arabic: str, other: str) -> None:
    assert not keys_of(arabic) & keys_of(other)


@pytest.mark.parametrize("word", ["", "و", "285", "a1", "Ольга", "پژمان", "ae" * 30, "م" * 300])
def test_what_is_no_name_of_either_script_has_no_key(word: str) -> None:
    assert keys(fold_name(word)) == ()


def test_no_word_has_many_keys() -> None:
    for word in ("thathethithothuthdhashiy", "aeiou" * 5, "ظذثوي" * 5):
        assert len(word) <= LONGEST
        assert len(keys(word)) <= 2 * MOST_KEYS

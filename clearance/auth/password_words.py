"""Words that people of this place build passwords from, in both scripts; data of `passwords`."""

_PLACE = """
kuwait kuwaiti kwt q8 customs custom jomrok jumruk jamarik gumruk portal clearance clearing broker
brokers licence license agent agents mukhallis takhlees shuwaikh shuaiba salmiya hawally jahra
farwaniya ahmadi gulf khaleej diwaniya welcome password الكويت كويت كويتي جمارك الجمارك جمرك
الجمرك بوابة البوابة تخليص التخليص مخلص المخلص المخلصين رخصة ترخيص وكيل مكتب الشويخ الشعيبة
السالمية حولي الجهراء الفروانية الاحمدي الخليج كلمة السر المرور مرحبا
"""
_MEN = """
ahmad ahmed mohammad mohammed mohamed muhammad ali abdullah abdulla abdulrahman abdulaziz
abdullatif abdulwahab abdulkarim fahad faisal khaled khalid khalifa saad salem salim saleh salman
saud sultan suliman sulaiman hamad hamed hasan hassan hussain hussein ibrahim ismail jaber jassim
jasim yousef yusuf yacoub nasser nawaf mubarak mishari mishal majed omar othman osama rashed
rashid tariq turki waleed bader bandar dawood essa ghanem hadi mahmoud mansour meshal musa mustafa
nayef talal thamer ziad أحمد احمد محمد علي عبدالله عبدالرحمن عبدالعزيز عبداللطيف عبدالوهاب
عبدالكريم فهد فيصل خالد خليفة سعد سالم صالح سلمان سعود سلطان سليمان حمد حامد حسن حسين ابراهيم
إبراهيم اسماعيل جابر جاسم يوسف يعقوب ناصر نواف مبارك مشاري مشعل ماجد عمر عثمان اسامة راشد طارق
تركي وليد بدر بندر داود عيسى غانم هادي محمود منصور موسى مصطفى نايف طلال
"""
_WOMEN = """
fatima fatma fatemah mariam maryam noura nora nour noor sara sarah sheikha shaikha aisha aysha
amina amna dalal dana eman iman hanan hessa hind huda khadija latifa layla leila lulwa maha manal
mona muneera nadia najla rania reem salma samira wafa yasmin zainab zahra فاطمة مريم نورة نور سارة
شيخة عائشة امينة أمينة آمنة دلال دانة ايمان إيمان حنان حصة هند هدى خديجة لطيفة ليلى لولوة مها منال
منى منيرة نادية نجلاء رانيا ريم سلمى سميرة وفاء ياسمين زينب زهراء
"""

_ARTICLES = """
al el bin ben ibn bint abu abo abi umm bu bo abd abdul abdel abdal ال آل بن ابن بنت ابو أبو ابا أبا
ابي أبي بو ام أم عبد عبدال
"""

LOCAL_WORDS: tuple[str, ...] = tuple(f"{_PLACE} {_MEN} {_WOMEN}".split())
YEARS: tuple[str, ...] = tuple(str(year) for year in range(1940, 2036))
# What stands before a name, joined to it or not: taken off, the name still is the name.
ARTICLES: tuple[str, ...] = tuple(_ARTICLES.split())

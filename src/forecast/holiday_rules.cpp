// Rules are laws and customs as they stand; an entry without years has held since before any sales data.
#include "forecast/holiday_rules_internal.h"

namespace tillcast::forecast {
namespace {

using enum RuleShift;
constexpr HolidayKind kEvent = HolidayKind::kEvent;
constexpr int kMonday = 1;
constexpr int kTuesday = 2;
constexpr int kWednesday = 3;
constexpr int kThursday = 4;
constexpr int kFriday = 5;

constexpr HolidayRule fixed(std::string_view name, int month, int day) {
  return {.name = name, .month = month, .day = day};
}
constexpr HolidayRule easter(std::string_view name, int days_after) {
  return {.name = name, .base = RuleBase::kEaster, .day = days_after};
}
constexpr HolidayRule orthodox(std::string_view name, int days_after) {
  return {.name = name, .base = RuleBase::kOrthodoxEaster, .day = days_after};
}
/// The first such weekday on or after a day: the n-th of a month from day 7n - 6, the last one of May
/// from 25.
constexpr HolidayRule weekday(std::string_view name, int which, int month, int day) {
  return {.name = name, .base = RuleBase::kWeekday, .month = month, .day = day, .weekday = which};
}

constexpr HolidayRule kNewYear = fixed("New Year's Day", 1, 1);
constexpr HolidayRule kEpiphany = fixed("Epiphany", 1, 6);
constexpr HolidayRule kMaundyThursday = easter("Maundy Thursday", -3);
constexpr HolidayRule kGoodFriday = easter("Good Friday", -2).as(HolidayKind::kEaster);
constexpr HolidayRule kEasterSunday = easter("Easter Sunday", 0).as(HolidayKind::kEaster);
constexpr HolidayRule kEasterMonday = easter("Easter Monday", 1).as(HolidayKind::kEaster);
constexpr HolidayRule kAscension = easter("Ascension Day", 39);
constexpr HolidayRule kWhitSunday = easter("Whit Sunday", 49);
constexpr HolidayRule kWhitMonday = easter("Whit Monday", 50);
constexpr HolidayRule kCorpusChristi = easter("Corpus Christi", 60);
constexpr HolidayRule kLabourDay = fixed("Labour Day", 5, 1);
constexpr HolidayRule kAssumption = fixed("Assumption of Mary", 8, 15);
constexpr HolidayRule kAllSaints = fixed("All Saints' Day", 11, 1);
constexpr HolidayRule kImmaculate = fixed("Immaculate Conception", 12, 8);
constexpr HolidayRule kChristmasEve = fixed("Christmas Eve", 12, 24).as(HolidayKind::kChristmas);
constexpr HolidayRule kChristmas = fixed("Christmas Day", 12, 25).as(HolidayKind::kChristmas);
constexpr HolidayRule kSecondChristmas = fixed("Second Day of Christmas", 12, 26).as(HolidayKind::kChristmas);
constexpr HolidayRule kBoxingDay = fixed("Boxing Day", 12, 26).as(HolidayKind::kChristmas);
constexpr HolidayRule kNewYearsEve = fixed("New Year's Eve", 12, 31);

constexpr HolidayRule kAustria[] = {kNewYear,        kEpiphany,   kEasterMonday,
                                    kLabourDay,      kAscension,  kWhitMonday,
                                    kCorpusChristi,  kAssumption, fixed("National Day", 10, 26),
                                    kAllSaints,      kImmaculate, kChristmas,
                                    kSecondChristmas};

constexpr HolidayRule kAustralia[] = {kNewYear.moved(kNextFree),
                                      fixed("Australia Day", 1, 26).moved(kNextFree),
                                      kGoodFriday,
                                      easter("Easter Saturday", -1).in("-TAS WA").as(HolidayKind::kEaster),
                                      kEasterMonday,
                                      fixed("Anzac Day", 4, 25),
                                      weekday("King's Birthday", kMonday, 6, 8).in("-WA QLD"),
                                      weekday("Melbourne Cup", kTuesday, 11, 1).in("VIC"),
                                      kChristmas.moved(kNextFree),
                                      kBoxingDay.moved(kNextFree)};
constexpr HolidayException kAustraliaExceptions[] = {{2022, 9, 22, "Day of Mourning"}};

constexpr HolidayRule kBelgium[] = {kNewYear,    kEasterMonday, kLabourDay,
                                    kAscension,  kWhitMonday,   fixed("National Day", 7, 21),
                                    kAssumption, kAllSaints,    fixed("Armistice", 11, 11),
                                    kChristmas};

constexpr HolidayRule kBrazil[] = {kNewYear,
                                   easter("Carnival Monday", -48),
                                   easter("Carnival Tuesday", -47),
                                   kGoodFriday,
                                   fixed("Tiradentes", 4, 21),
                                   kLabourDay,
                                   kCorpusChristi,
                                   fixed("Independence Day", 9, 7),
                                   fixed("Our Lady of Aparecida", 10, 12),
                                   fixed("All Souls' Day", 11, 2),
                                   fixed("Republic Day", 11, 15),
                                   fixed("Black Awareness Day", 11, 20).since(2024),
                                   kChristmas};

constexpr HolidayRule kCanada[] = {kNewYear.moved(kNextFree),
                                   kGoodFriday,
                                   weekday("Victoria Day", kMonday, 5, 18),
                                   fixed("Canada Day", 7, 1).moved(kSundayNextFree),
                                   weekday("Labour Day", kMonday, 9, 1),
                                   fixed("Day for Truth and Reconciliation", 9, 30).since(2021),
                                   weekday("Thanksgiving", kMonday, 10, 8),
                                   fixed("Halloween", 10, 31).as(kEvent),
                                   fixed("Remembrance Day", 11, 11),
                                   kChristmas.moved(kNextFree),
                                   kBoxingDay.moved(kNextFree)};

// Most cantons; 1 August is the only day that holds by federal law.
constexpr HolidayRule kSwitzerland[] = {kNewYear,   kGoodFriday,     kEasterMonday,
                                        kAscension, kWhitMonday,     fixed("National Day", 8, 1),
                                        kChristmas, kSecondChristmas};

constexpr HolidayRule kCyprus[] = {kNewYear,
                                   kEpiphany,
                                   orthodox("Green Monday", -48),
                                   fixed("Greek Independence Day", 3, 25),
                                   fixed("Cyprus National Day", 4, 1),
                                   orthodox("Good Friday", -2).as(HolidayKind::kEaster),
                                   orthodox("Easter Sunday", 0).as(HolidayKind::kEaster),
                                   orthodox("Easter Monday", 1).as(HolidayKind::kEaster),
                                   kLabourDay,
                                   orthodox("Whit Monday", 50),
                                   kAssumption,
                                   fixed("Independence Day", 10, 1),
                                   fixed("Ohi Day", 10, 28),
                                   kChristmas,
                                   kBoxingDay};

constexpr HolidayRule kCzechia[] = {kNewYear,
                                    kGoodFriday.since(2016),
                                    kEasterMonday,
                                    kLabourDay,
                                    fixed("Liberation Day", 5, 8),
                                    fixed("Saints Cyril and Methodius", 7, 5),
                                    fixed("Jan Hus Day", 7, 6),
                                    fixed("Statehood Day", 9, 28),
                                    fixed("Independence Day", 10, 28),
                                    fixed("Freedom and Democracy Day", 11, 17),
                                    kChristmasEve,
                                    kChristmas,
                                    kSecondChristmas};

constexpr HolidayRule kGermany[] = {
    kNewYear,
    kEpiphany.in("BW BY ST"),
    fixed("International Women's Day", 3, 8).since(2019).in("BE"),
    fixed("International Women's Day", 3, 8).since(2023).in("MV"),
    kGoodFriday,
    kEasterSunday.in("BB"),
    kEasterMonday,
    kLabourDay,
    kAscension,
    kWhitSunday.in("BB"),
    kWhitMonday,
    kCorpusChristi.in("BW BY HE NW RP SL"),
    kAssumption.in("BY SL"),
    fixed("Children's Day", 9, 20).since(2019).in("TH"),
    fixed("German Unity Day", 10, 3).since(1990),
    fixed("Reformation Day", 10, 31).since(1991).in("BB MV SN ST TH"),
    fixed("Reformation Day", 10, 31).since(2018).in("HB HH NI SH"),
    kAllSaints.in("BW BY NW RP SL"),
    weekday("Day of Repentance and Prayer", kWednesday, 11, 16).since(1995).in("SN"),
    kChristmas,
    kSecondChristmas};
constexpr HolidayException kGermanyExceptions[] = {
    {2017, 10, 31, "Reformation Day (500 years)", "-BB MV SN ST TH"},
    {2020, 5, 8, "Liberation Day (75 years)", "BE"},
    {2025, 5, 8, "Liberation Day (80 years)", "BE"}};
constexpr std::string_view kGermanStates =
    "bw;baden-württemberg;baden-wuerttemberg|by;bayern;bavaria|be;berlin|bb;brandenburg|hb;bremen|"
    "hh;hamburg|he;hessen;hesse|mv;mecklenburg-vorpommern|ni;niedersachsen;lower saxony|"
    "nw;nrw;nordrhein-westfalen;north rhine-westphalia|rp;rheinland-pfalz;rhineland-palatinate|"
    "sl;saarland|sn;sachsen;saxony|st;sachsen-anhalt;saxony-anhalt|sh;schleswig-holstein|"
    "th;thüringen;thueringen;thuringia";

constexpr HolidayRule kDenmark[] = {kNewYear,        kMaundyThursday,
                                    kGoodFriday,     kEasterSunday,
                                    kEasterMonday,   easter("Great Prayer Day", 26).until(2023),
                                    kAscension,      kWhitSunday,
                                    kWhitMonday,     fixed("Constitution Day", 6, 5),
                                    kChristmasEve,   kChristmas,
                                    kSecondChristmas};

constexpr HolidayRule kSpain[] = {kNewYear,    kEpiphany,
                                  kGoodFriday, kLabourDay,
                                  kAssumption, fixed("National Day", 10, 12),
                                  kAllSaints,  fixed("Constitution Day", 12, 6),
                                  kImmaculate, kChristmas};

constexpr HolidayRule kFinland[] = {kNewYear,
                                    kEpiphany,
                                    kGoodFriday,
                                    kEasterSunday,
                                    kEasterMonday,
                                    kLabourDay,
                                    kAscension,
                                    kWhitSunday,
                                    weekday("Midsummer Eve", kFriday, 6, 19),
                                    weekday("Midsummer Day", kSaturday, 6, 20),
                                    weekday("All Saints' Day", kSaturday, 10, 31),
                                    fixed("Independence Day", 12, 6),
                                    kChristmasEve,
                                    kChristmas,
                                    kSecondChristmas};

constexpr HolidayRule kFrance[] = {kNewYear,
                                   kGoodFriday.in("alsace"),
                                   kEasterMonday,
                                   kLabourDay,
                                   fixed("Victory Day", 5, 8),
                                   kAscension,
                                   kWhitMonday,
                                   fixed("Bastille Day", 7, 14),
                                   kAssumption,
                                   kAllSaints,
                                   fixed("Armistice", 11, 11),
                                   kChristmas,
                                   kSecondChristmas.in("alsace")};

// England and Wales; Scotland (SCT), Northern Ireland (NIR) and the Channel Islands (CI) as regions.
constexpr HolidayRule kBritain[] = {kNewYear.moved(kNextFree),
                                    fixed("Second of January", 1, 2).in("SCT").moved(kNextFree),
                                    fixed("St Patrick's Day", 3, 17).in("NIR").moved(kNextFree),
                                    kGoodFriday,
                                    kEasterSunday,
                                    kEasterMonday.in("-SCT"),
                                    weekday("Early May Bank Holiday", kMonday, 5, 1).since(1978),
                                    fixed("Liberation Day", 5, 9).in("CI"),
                                    weekday("Spring Bank Holiday", kMonday, 5, 25).since(1971),
                                    fixed("Battle of the Boyne", 7, 12).in("NIR").moved(kNextFree),
                                    weekday("Summer Bank Holiday", kMonday, 8, 1).in("SCT"),
                                    weekday("Summer Bank Holiday", kMonday, 8, 25).since(1971).in("-SCT"),
                                    weekday("Black Friday", kFriday, 11, 23).since(2013).as(kEvent),
                                    fixed("St Andrew's Day", 11, 30).since(2007).in("SCT").moved(kNextFree),
                                    kChristmas.moved(kNextFree),
                                    kBoxingDay.moved(kNextFree)};
constexpr HolidayException kBritainExceptions[] = {{1995, 5, 1, ""},
                                                   {1995, 5, 8, "Early May Bank Holiday (VE Day)"},
                                                   {1999, 12, 31, "Millennium"},
                                                   {2002, 5, 27, ""},
                                                   {2002, 6, 3, "Golden Jubilee"},
                                                   {2002, 6, 4, "Spring Bank Holiday"},
                                                   {2011, 4, 29, "Royal Wedding"},
                                                   {2012, 5, 28, ""},
                                                   {2012, 6, 4, "Spring Bank Holiday"},
                                                   {2012, 6, 5, "Diamond Jubilee"},
                                                   {2020, 5, 4, ""},
                                                   {2020, 5, 8, "Early May Bank Holiday (VE Day)"},
                                                   {2022, 5, 30, ""},
                                                   {2022, 6, 2, "Spring Bank Holiday"},
                                                   {2022, 6, 3, "Platinum Jubilee"},
                                                   {2022, 9, 19, "State Funeral of Queen Elizabeth II"},
                                                   {2023, 5, 8, "Coronation of King Charles III"}};

constexpr HolidayRule kGreece[] = {kNewYear,
                                   kEpiphany,
                                   orthodox("Clean Monday", -48),
                                   fixed("Independence Day", 3, 25),
                                   orthodox("Good Friday", -2).as(HolidayKind::kEaster),
                                   orthodox("Easter Sunday", 0).as(HolidayKind::kEaster),
                                   orthodox("Easter Monday", 1).as(HolidayKind::kEaster),
                                   kLabourDay,
                                   orthodox("Whit Monday", 50),
                                   kAssumption,
                                   fixed("Ohi Day", 10, 28),
                                   kChristmas,
                                   kBoxingDay};

constexpr HolidayRule kIreland[] = {kNewYear,
                                    weekday("St Brigid's Day", kMonday, 2, 1).since(2023),
                                    fixed("St Patrick's Day", 3, 17),
                                    kGoodFriday.as(kEvent),
                                    kEasterMonday,
                                    weekday("May Day", kMonday, 5, 1).since(1994),
                                    weekday("June Holiday", kMonday, 6, 1),
                                    weekday("August Holiday", kMonday, 8, 1),
                                    weekday("October Holiday", kMonday, 10, 25),
                                    kChristmas,
                                    fixed("St Stephen's Day", 12, 26).as(HolidayKind::kChristmas)};
constexpr HolidayException kIrelandExceptions[] = {{2022, 3, 18, "Day of Remembrance"}};

constexpr HolidayRule kIceland[] = {kNewYear,
                                    kMaundyThursday,
                                    kGoodFriday,
                                    kEasterSunday,
                                    kEasterMonday,
                                    weekday("First Day of Summer", kThursday, 4, 19),
                                    kLabourDay,
                                    kAscension,
                                    kWhitSunday,
                                    kWhitMonday,
                                    fixed("National Day", 6, 17),
                                    weekday("Commerce Day", kMonday, 8, 1),
                                    kChristmasEve,
                                    kChristmas,
                                    kSecondChristmas,
                                    kNewYearsEve};

constexpr HolidayRule kItaly[] = {kNewYear,
                                  kEpiphany,
                                  kEasterSunday,
                                  kEasterMonday,
                                  fixed("Liberation Day", 4, 25),
                                  kLabourDay,
                                  fixed("Republic Day", 6, 2),
                                  kAssumption,
                                  kAllSaints,
                                  kImmaculate,
                                  kChristmas,
                                  kSecondChristmas};
constexpr HolidayException kItalyExceptions[] = {{2011, 3, 17, "150 Years of Italy"}};

constexpr HolidayRule kJapan[] = {
    kNewYear.moved(kSundayNextFree),
    weekday("Coming of Age Day", kMonday, 1, 8).since(2000),
    fixed("National Foundation Day", 2, 11).moved(kSundayNextFree),
    fixed("Emperor's Birthday", 2, 23).since(2020).moved(kSundayNextFree),
    HolidayRule{.name = "Vernal Equinox", .base = RuleBase::kVernalEquinox}.moved(kSundayNextFree),
    fixed("Greenery Day", 4, 29).since(1989).until(2006).moved(kSundayNextFree),
    fixed("Showa Day", 4, 29).since(2007).moved(kSundayNextFree),
    fixed("Constitution Day", 5, 3).moved(kSundayNextFree),
    fixed("Greenery Day", 5, 4).since(2007).moved(kSundayNextFree),
    fixed("Children's Day", 5, 5).moved(kSundayNextFree),
    weekday("Marine Day", kMonday, 7, 15).since(2003),
    fixed("Mountain Day", 8, 11).since(2016).moved(kSundayNextFree),
    weekday("Respect for the Aged Day", kMonday, 9, 15).since(2003),
    HolidayRule{.name = "Autumnal Equinox", .base = RuleBase::kAutumnEquinox}.moved(kSundayNextFree),
    weekday("Sports Day", kMonday, 10, 8).since(2000),
    fixed("Culture Day", 11, 3).moved(kSundayNextFree),
    fixed("Labour Thanksgiving Day", 11, 23).moved(kSundayNextFree),
    fixed("Emperor's Birthday", 12, 23).since(1989).until(2018).moved(kSundayNextFree)};
constexpr HolidayException kJapanExceptions[] = {{2019, 5, 1, "Enthronement"},
                                                 {2019, 10, 22, "Enthronement Ceremony"},
                                                 {2020, 7, 20, ""},
                                                 {2020, 7, 23, "Marine Day"},
                                                 {2020, 10, 12, ""},
                                                 {2020, 7, 24, "Sports Day"},
                                                 {2020, 8, 11, ""},
                                                 {2020, 8, 10, "Mountain Day"},
                                                 {2021, 7, 19, ""},
                                                 {2021, 7, 22, "Marine Day"},
                                                 {2021, 10, 11, ""},
                                                 {2021, 7, 23, "Sports Day"},
                                                 {2021, 8, 11, ""},
                                                 {2021, 8, 8, "Mountain Day"},
                                                 {2021, 8, 9, "Mountain Day (substitute day)"}};

constexpr HolidayRule kLithuania[] = {kNewYear,
                                      fixed("Restoration of the State", 2, 16),
                                      fixed("Restoration of Independence", 3, 11),
                                      kEasterSunday,
                                      kEasterMonday,
                                      kLabourDay,
                                      fixed("St John's Day", 6, 24),
                                      fixed("Statehood Day", 7, 6),
                                      kAssumption,
                                      kAllSaints,
                                      fixed("All Souls' Day", 11, 2).since(2020),
                                      kChristmasEve,
                                      kChristmas,
                                      kSecondChristmas};

constexpr HolidayRule kMalta[] = {kNewYear,
                                  fixed("St Paul's Shipwreck", 2, 10),
                                  fixed("St Joseph", 3, 19),
                                  fixed("Freedom Day", 3, 31),
                                  kGoodFriday,
                                  kLabourDay,
                                  fixed("Sette Giugno", 6, 7),
                                  fixed("St Peter and St Paul", 6, 29),
                                  kAssumption,
                                  fixed("Victory Day", 9, 8),
                                  fixed("Independence Day", 9, 21),
                                  kImmaculate,
                                  fixed("Republic Day", 12, 13),
                                  kChristmas};

constexpr HolidayRule kNetherlands[] = {kNewYear,
                                        kGoodFriday.as(kEvent),
                                        kEasterSunday,
                                        kEasterMonday,
                                        fixed("Queen's Day", 4, 30).until(2013).moved(kSundayToSaturday),
                                        fixed("King's Day", 4, 27).since(2014).moved(kSundayToSaturday),
                                        fixed("Liberation Day", 5, 5),
                                        kAscension,
                                        kWhitSunday,
                                        kWhitMonday,
                                        fixed("St Nicholas' Eve", 12, 5).as(kEvent),
                                        kChristmas,
                                        kSecondChristmas};

constexpr HolidayRule kNorway[] = {kNewYear,
                                   kMaundyThursday,
                                   kGoodFriday,
                                   kEasterSunday,
                                   kEasterMonday,
                                   kLabourDay,
                                   fixed("Constitution Day", 5, 17),
                                   kAscension,
                                   kWhitSunday,
                                   kWhitMonday,
                                   kChristmas,
                                   kSecondChristmas};

constexpr HolidayRule kPoland[] = {kNewYear,
                                   kEpiphany.since(2011),
                                   kEasterSunday,
                                   kEasterMonday,
                                   kLabourDay,
                                   fixed("Constitution Day", 5, 3),
                                   kWhitSunday,
                                   kCorpusChristi,
                                   kAssumption,
                                   kAllSaints,
                                   fixed("Independence Day", 11, 11),
                                   kChristmasEve.since(2025),
                                   kChristmas,
                                   kSecondChristmas};
constexpr HolidayException kPolandExceptions[] = {{2018, 11, 12, "100 Years of Independence"}};

// Four days were suspended from 2013 to 2015.
constexpr HolidayRule kPortugal[] = {kNewYear,
                                     kGoodFriday,
                                     kEasterSunday,
                                     fixed("Freedom Day", 4, 25),
                                     kLabourDay,
                                     kCorpusChristi.until(2012),
                                     kCorpusChristi.since(2016),
                                     fixed("Portugal Day", 6, 10),
                                     kAssumption,
                                     fixed("Republic Day", 10, 5).until(2012),
                                     fixed("Republic Day", 10, 5).since(2016),
                                     kAllSaints.until(2012),
                                     kAllSaints.since(2016),
                                     fixed("Independence Day", 12, 1).until(2012),
                                     fixed("Independence Day", 12, 1).since(2016),
                                     kImmaculate,
                                     kChristmas};

constexpr HolidayRule kSweden[] = {kNewYear,
                                   kEpiphany,
                                   kGoodFriday,
                                   kEasterSunday,
                                   kEasterMonday,
                                   kLabourDay,
                                   kAscension,
                                   kWhitSunday,
                                   kWhitMonday.until(2004),
                                   fixed("National Day", 6, 6).since(2005),
                                   weekday("Midsummer Eve", kFriday, 6, 19),
                                   weekday("Midsummer Day", kSaturday, 6, 20),
                                   weekday("All Saints' Day", kSaturday, 10, 31),
                                   kChristmasEve,
                                   kChristmas,
                                   kSecondChristmas,
                                   kNewYearsEve};

constexpr HolidayRule kUnitedStates[] = {
    kNewYear.moved(kNearestWeekday),
    weekday("Martin Luther King Day", kMonday, 1, 15).since(1986),
    weekday("Super Bowl", kSunday, 2, 1).since(2004).until(2021).as(kEvent),
    weekday("Super Bowl", kSunday, 2, 8).since(2022).as(kEvent),
    fixed("Valentine's Day", 2, 14).as(kEvent),
    weekday("Presidents' Day", kMonday, 2, 15).since(1971),
    easter("Ash Wednesday", -46).as(kEvent),
    fixed("St Patrick's Day", 3, 17).as(kEvent),
    kEasterSunday,
    orthodox("Orthodox Easter", 0).as(kEvent),
    fixed("Cinco de Mayo", 5, 5).as(kEvent),
    weekday("Mother's Day", kSunday, 5, 8).as(kEvent),
    weekday("Memorial Day", kMonday, 5, 25).since(1971),
    fixed("Juneteenth", 6, 19).since(2021).moved(kNearestWeekday),
    weekday("Father's Day", kSunday, 6, 15).as(kEvent),
    fixed("Independence Day", 7, 4).moved(kNearestWeekday),
    weekday("Labor Day", kMonday, 9, 1),
    weekday("Columbus Day", kMonday, 10, 8).since(1971),
    fixed("Halloween", 10, 31).as(kEvent),
    fixed("Veterans Day", 11, 11).since(1978).moved(kNearestWeekday),
    weekday("Thanksgiving", kThursday, 11, 22),
    weekday("Black Friday", kFriday, 11, 23).as(kEvent),
    kChristmas.moved(kNearestWeekday)};

constexpr HolidayRule kSouthAfrica[] = {
    kNewYear.moved(kSundayNextFree),
    fixed("Human Rights Day", 3, 21).moved(kSundayNextFree),
    kGoodFriday,
    easter("Family Day", 1).as(HolidayKind::kEaster),
    fixed("Freedom Day", 4, 27).moved(kSundayNextFree),
    fixed("Workers' Day", 5, 1).moved(kSundayNextFree),
    fixed("Youth Day", 6, 16).moved(kSundayNextFree),
    fixed("National Women's Day", 8, 9).moved(kSundayNextFree),
    fixed("Heritage Day", 9, 24).moved(kSundayNextFree),
    fixed("Day of Reconciliation", 12, 16).moved(kSundayNextFree),
    kChristmas.moved(kSundayNextFree),
    fixed("Day of Goodwill", 12, 26).as(HolidayKind::kChristmas).moved(kSundayNextFree)};
constexpr HolidayException kSouthAfricaExceptions[] = {{2011, 5, 18, "Municipal Elections"},
                                                       {2014, 5, 7, "Elections"},
                                                       {2016, 8, 3, "Municipal Elections"},
                                                       {2019, 5, 8, "Elections"},
                                                       {2021, 11, 1, "Municipal Elections"},
                                                       {2023, 12, 15, "Rugby World Cup"},
                                                       {2024, 5, 29, "Elections"}};

constexpr HolidayCountry kCalendars[] = {
    {"AT", "austria;österreich", kAustria},
    {"AU", "australia", kAustralia, kAustraliaExceptions,
     "tas;tasmania|wa;western australia|qld;queensland|vic;victoria|nsw;new south wales|sa;south australia"},
    {"BE", "belgium;belgique;belgië", kBelgium},
    {"BR", "brazil;brasil", kBrazil},
    {"CA", "canada", kCanada},
    {"CH", "switzerland;schweiz;suisse", kSwitzerland},
    {"CY", "cyprus", kCyprus},
    {"CZ", "czech republic;czechia", kCzechia},
    {"DE", "germany;deutschland", kGermany, kGermanyExceptions, kGermanStates},
    {"DK", "denmark;danmark", kDenmark},
    {"ES", "spain;españa", kSpain},
    {"FI", "finland;suomi", kFinland},
    {"FR", "france", kFrance, {}, "alsace;alsace-moselle;moselle;grand est"},
    {"GB", "united kingdom;uk;great britain;england;wales;england and wales;channel islands;jersey;guernsey",
     kBritain, kBritainExceptions, "sct;scotland|nir;northern ireland|ci;channel islands;jersey;guernsey"},
    {"GR", "greece;hellas", kGreece},
    {"IE", "ireland;eire;republic of ireland", kIreland, kIrelandExceptions},
    {"IS", "iceland", kIceland},
    {"IT", "italy;italia", kItaly, kItalyExceptions},
    {"JP", "japan", kJapan, kJapanExceptions},
    {"LT", "lithuania", kLithuania},
    {"MT", "malta", kMalta},
    {"NL", "netherlands;the netherlands;holland", kNetherlands},
    {"NO", "norway;norge", kNorway},
    {"PL", "poland;polska", kPoland, kPolandExceptions},
    {"PT", "portugal", kPortugal},
    {"SE", "sweden;sverige", kSweden},
    {"US", "united states;usa;united states of america", kUnitedStates},
    {"ZA", "south africa;rsa", kSouthAfrica, kSouthAfricaExceptions}};

}  // namespace

std::span<const HolidayCountry> holiday_calendars() { return kCalendars; }

}  // namespace tillcast::forecast

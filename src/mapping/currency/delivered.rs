//! Currencies and their decimals as SAP delivers them: tables TCURC and TCURX of a new installation. They are not ISO 4217: the
//! forint has none, the CFA franc has two.

/// Currencies of TCURX without decimals.
const NONE: &str = "ADP AFA BEF BIF BYB BYR CLP COP DJF ECS ESP GNF GRD HUF IDR ITL JPY KMF KRW LAK LUF MGF MZM PTE PYG ROL RWF \
    TJR TMM TPE TRL TWD UGX VND VUV XPF";

/// Currencies of TCURX with three decimals.
const THREE: &str = "BHD DEM3 IQD JOD KWD LYD OMR TND";

/// Currencies of TCURX with five decimals.
const FIVE: &str = "USDN";

/// Currencies that TCURX does not list, so that they have two decimals: ISO 4217, with those that were withdrawn.
const TWO: &str = "AED AFN ALL AMD ANG AOA AON AOR ARS ATS AUD AWG AZM AZN BAM BBD BDT BGL BGN BMD BND BOB BOV BRL BSD BTN BWP \
    BYN BZD CAD CDF CHE CHF CHW CLF CNY COU CRC CSD CUC CUP CVE CYP CZK DEM DKK DOP DZD EEK EGP ERN ETB EUR FIM \
    FJD FKP FRF GBP GEL GHC GHS GIP GMD GTQ GWP GYD HKD HNL HRK HTG IEP ILS INR IRR ISK JMD KES KGS KHR KPW KYD \
    KZT LBP LKR LRD LSL LTL LVL MAD MDL MGA MKD MMK MNT MOP MRO MRU MTL MUR MVR MWK MXN MXP MXV MYR MZN NAD NGN \
    NIO NLG NOK NPR NZD PAB PEN PGK PHP PKR PLN PLZ QAR RON RSD RUB RUR SAR SBD SCR SDD SDG SEK SGD SHP SIT SKK \
    SLE SLL SOS SRD SRG SSP STD STN SUR SVC SYP SZL THB TJS TMT TOP TRY TTD TZS UAH UAK USD USN UYI UYU UYW UZS \
    VEB VED VEF VES WST XAF XCD XCG XDR XEU XOF YER YUM ZAL ZAR ZMK ZMW ZRN ZWD ZWG ZWL ZWN";

/// Every delivered currency by its decimals.
pub const LISTS: [(&str, u32); 4] = [(TWO, 2), (NONE, 0), (THREE, 3), (FIVE, 5)];

/// The decimals of a currency by its key in SAP; `None` for one that is not delivered.
pub fn decimals(currency: &str) -> Option<u32> {
    LISTS.into_iter().find(|(list, _)| list.split(' ').any(|listed| listed == currency)).map(|(_, decimals)| decimals)
}

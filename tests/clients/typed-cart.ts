// A cart that a developer writes by hand, held to the types of openapi-typescript; it is compiled and not run.
import type { components } from "./api.js";

export const cart: components["schemas"]["Cart"] = {
  HEADER: {
    GUID: "005056A207C81ED9B3C5D7E9F1A30001",
    OBJECT_ID: "1000004801",
    CURRENCY: "EUR",
    TOTAL_VALUE: 3897,
    ZZ_SALES_ORG: "1010",
    ZZ_CUST_CATEGORY: "A",
  },
  ITEM: [{ GUID: "005056A207C81ED9B3C5D7E9F1A30002", NUMBER_INT: "0000000010", QUANTITY: 3, UNIT: "ST", PRICE: 1299 }],
  ACCOUNT: [{ P_GUID: "005056A207C81ED9B3C5D7E9F1A30002", DISTR_PERC: 100, COST_CTR: "0000001000", ZZ_OWN: "1" }],
  PARTNER: [
    { P_GUID: "005056A207C81ED9B3C5D7E9F1A30002", PARTNER_FCT: "00000019", PARTNER_ID: "0000300123" },
    { P_GUID: "005056A207C81ED9B3C5D7E9F1A30002", PARTNER_FCT: "00000027", COUNTRY: "DE", REGION: "08" },
  ],
};

// @ts-expect-error: a cart without items is none.
export const withoutItems: components["schemas"]["Cart"] = { HEADER: { OBJECT_ID: "1000004801" } };

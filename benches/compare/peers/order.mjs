// What the Node peers share: the order of a cart, field by field, and the call to 11VMS.
import { Pool } from "undici";

// Above the 64 callers: nobody waits for a connection.
const CONNECTIONS = 128;

const text = (number) => String(number);
const unpadded = (id) => id && id.replace(/^0+(?=.)/, "");

export function guidOf(cart) {
  return cart.CART.HEADER.GUID.toLowerCase();
}

export function orderOf({ CART: cart }) {
  const header = cart.HEADER;
  const partner = (kind) => cart.PARTNER.find((row) => row.PARTNER_FCT === kind);
  const shipTo = partner("00000027");
  return {
    externalId: header.GUID.toLowerCase(),
    externalNumber: unpadded(header.OBJECT_ID),
    description: header.DESCRIPTION,
    accountType: header.ZZ_CUST_CATEGORY,
    salesOrg: header.ZZ_SALES_ORG,
    regionCode: `${shipTo.COUNTRY}-${shipTo.REGION}`,
    companyCode: header.CO_CODE,
    requester: header.CREATED_BY,
    orderDate: header.POSTING_DATE,
    currency: header.CURRENCY,
    totalAmount: text(header.TOTAL_VALUE),
    supplier: { externalId: unpadded(partner("00000019").PARTNER_ID) },
    lines: cart.ITEM.map((item) => lineOf(item, cart.ACCOUNT)),
  };
}

function lineOf(item, accounts) {
  const shares = accounts.filter((account) => account.P_GUID === item.GUID);
  return {
    lineNumber: Number(item.NUMBER_INT),
    product: unpadded(item.ORDERED_PROD),
    description: item.DESCRIPTION,
    category: item.CATEGORY_ID,
    quantity: text(item.QUANTITY),
    unitCode: item.UNIT,
    unitPrice: text(item.PRICE),
    priceUnit: text(item.PRICE_UNIT),
    amount: text(item.VALUE),
    currency: item.CURRENCY,
    needByDate: item.DELIV_DATE,
    allocations: shares.map((share) => ({
      percent: text(share.DISTR_PERC), glAccount: unpadded(share.G_L_ACCT), costCenter: unpadded(share.COST_CTR),
    })),
  };
}

// 11VMS, with a token that is fetched once.
export class Vms {
  static async connect(port, tokenUrl) {
    const answer = await fetch(tokenUrl, { method: "POST" });
    return new Vms(new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS }), (await answer.json()).access_token);
  }

  constructor(pool, token) {
    this.pool = pool;
    this.headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  }

  async create(order) {
    const { statusCode, body } = await this.pool.request({
      method: "POST", path: "/api/purchase-orders", headers: this.headers, body: JSON.stringify(order),
    });
    const answer = await body.json();
    if (statusCode !== 201) throw new Error(`11VMS answered ${statusCode}`);
    return answer.poNumber;
  }
}

import java.io.File;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.PurchaseOrdersApi;
import org.openapitools.client.api.PurchaseOrdersApi.APICreatePurchaseOrderRequest;
import org.openapitools.client.model.Cart;
import org.openapitools.client.model.PurchaseOrder;

/** Sends the cart of a file twice, with the classes of openapi-generator, and prints each answer's status and number. */
public final class CreateOrder {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("PO_WEBHOOK_URL"));
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
        Cart cart = client.getObjectMapper().readValue(new File(arguments[0]), Cart.class);
        PurchaseOrdersApi orders = new PurchaseOrdersApi(client);
        for (int call = 0; call < 2; call++) {
            ApiResponse<PurchaseOrder> answer = orders.createPurchaseOrderWithHttpInfo(
                APICreatePurchaseOrderRequest.newBuilder().cart(cart).build());
            System.out.println(answer.getStatusCode() + " " + answer.getData().getPurchaseOrderNumber());
        }
    }
}

REPORT z_send_cart_740.
* Sends an approved cart and shows the number of its purchase order, or every message. For SAP_BASIS 7.40 SP 5 and newer.
*
* Destinations in SM59, type G (HTTP to external server), TLS active:
*   PO_WEBHOOK        the service, or the gateway in front of it; path prefix empty or the gateway's
*   PO_WEBHOOK_TOKEN  the token endpoint with its path; logon: basic, client id and secret
* Or, instead of the second one, an OAuth 2.0 client profile (SE80) with its configuration (transaction OA2C_CONFIG).

PARAMETERS: p_guid   TYPE bbp_guid OBLIGATORY,
            p_oauth  TYPE c LENGTH 30 LOWER CASE. " OAuth 2.0 client profile; empty: PO_WEBHOOK_TOKEN

TYPES: BEGIN OF ty_cart, " the sections that the mapping sheet reads; customer fields of the includes come along
         header  TYPE bbp_pds_sc_header_d,
         item    TYPE STANDARD TABLE OF bbp_pds_sc_item_d WITH EMPTY KEY,
         account TYPE STANDARD TABLE OF bbp_pds_acc WITH EMPTY KEY,
         partner TYPE STANDARD TABLE OF bbp_pds_partner WITH EMPTY KEY,
         orgdata TYPE STANDARD TABLE OF bbp_pds_org WITH EMPTY KEY,
       END OF ty_cart.

TYPES: BEGIN OF ty_answer, " an order, or a problem (RFC 9457): purchaseOrderNumber is PURCHASE_ORDER_NUMBER
         id                    TYPE string,
         state                 TYPE string,
         purchase_order_number TYPE string,
         type                  TYPE string,
         title                 TYPE string,
         detail                TYPE string,
         request_id            TYPE string,
         messages              TYPE bapiret2_t,
       END OF ty_answer.

CLASS lcl_orders DEFINITION FINAL.
  PUBLIC SECTION.
    CONSTANTS: BEGIN OF outcome,
                 ordered TYPE i VALUE 0,
                 to_act  TYPE i VALUE 1, " somebody has to act: see the messages
                 again   TYPE i VALUE 2, " not known yet: send the same cart again later
               END OF outcome.

    METHODS: constructor IMPORTING profile TYPE csequence,
      send IMPORTING cart          TYPE ty_cart
           EXPORTING number        TYPE string
                     messages      TYPE bapiret2_t
           RETURNING VALUE(result) TYPE i.

  PRIVATE SECTION.
    CONSTANTS: timeout TYPE i VALUE 60, " seconds: longer than the service's own deadline of 50
               sends   TYPE i VALUE 5,
               polls   TYPE i VALUE 60.

    DATA: profile TYPE string,
          token   TYPE string.

    METHODS: call IMPORTING method TYPE string
                            uri    TYPE string
                            body   TYPE string OPTIONAL
                  EXPORTING status TYPE i " 0: no answer
                            wait   TYPE i
                            answer TYPE ty_answer,
      authorize IMPORTING client TYPE REF TO if_http_client,
      fetch_token,
      await_order IMPORTING id     TYPE string
                            wait   TYPE i
                  CHANGING  answer TYPE ty_answer,
      messages_of IMPORTING answer          TYPE ty_answer
                  RETURNING VALUE(messages) TYPE bapiret2_t.
ENDCLASS.

CLASS lcl_orders IMPLEMENTATION.

  METHOD constructor.
    me->profile = profile.
  ENDMETHOD.

  METHOD send.
    DATA answer TYPE ty_answer.

    CLEAR: number, messages.
    result = lcl_orders=>outcome-again.
    " Names in capitals, RAW as base64, initial fields left out: all of that is understood.
    DATA(json) = /ui2/cl_json=>serialize( data = cart compress = abap_true ).
    DATA(renewed) = abap_false.

    DO sends TIMES.
      " No CSRF token is needed.
      call( EXPORTING method = 'POST' uri = `/v2/purchase-orders` body = json
            IMPORTING status = DATA(status) wait = DATA(wait) answer = answer ).

      IF status = 202.
        " The order is recorded and still being worked on.
        await_order( EXPORTING id = answer-id wait = wait CHANGING answer = answer ).
      ENDIF.

      messages = messages_of( answer ).
      CASE status.
        WHEN 200 OR 201 OR 202.
          " 201: created now. 200: this cart had its order already. Its warnings are in messages.
          CASE answer-state.
            WHEN 'created'.
              number = answer-purchase_order_number.
              result = lcl_orders=>outcome-ordered.
            WHEN 'rejected' OR 'parked' OR 'cancelled'.
              result = lcl_orders=>outcome-to_act.
          ENDCASE.
          RETURN.
      ENDCASE.

      IF status = 401 AND renewed = abap_false.
        " The token may have expired on its way; a new one is tried once.
        renewed = abap_true.
        CLEAR token.
      ELSEIF status = 0 OR status = 408 OR status = 429 OR status = 500 OR status = 503 OR status = 504
          OR ( status = 502 AND answer-type IS INITIAL ).
        " Whatever became of it: the same cart, with the same GUID, may always be sent again, and is one order.
        " A 502 without a type is no problem of the service, but a gateway's page.
        WAIT UP TO wait SECONDS.
      ELSE.
        " 422: mistakes of the cart, or a refusal of 11VMS. 409: another cart has this GUID. 502: parked, a person has
        " to look. 400, 403, 413, 415: the request itself is wrong.
        result = lcl_orders=>outcome-to_act.
        RETURN.
      ENDIF.
    ENDDO.
  ENDMETHOD.

  METHOD await_order.
    DO polls TIMES.
      WAIT UP TO wait SECONDS.
      call( EXPORTING method = 'GET' uri = |/v2/purchase-orders/{ id }|
            IMPORTING status = DATA(status) answer = DATA(found) ).
      IF status = 200.
        answer = found.
        IF found-state = 'created' OR found-state = 'rejected' OR found-state = 'parked' OR found-state = 'cancelled'.
          RETURN.
        ENDIF.
      ENDIF.
    ENDDO.
  ENDMETHOD.

  METHOD call.
    CLEAR: status, answer.
    wait = 10.
    cl_http_client=>create_by_destination(
      EXPORTING destination = 'PO_WEBHOOK'
      IMPORTING client      = DATA(client)
      EXCEPTIONS OTHERS     = 1 ).
    IF sy-subrc <> 0.
      RETURN.
    ENDIF.
    client->propertytype_logon_popup = if_http_client=>co_disabled.
    client->request->set_version( if_http_request=>co_protocol_version_1_1 ).
    client->request->set_method( method ).
    cl_http_utility=>set_request_uri( request = client->request uri = uri ).
    authorize( client ).
    IF body IS NOT INITIAL.
      client->request->set_content_type( 'application/json; charset=utf-8' ).
      client->request->set_data( cl_abap_codepage=>convert_to( body ) ).
    ENDIF.
    client->send( EXPORTING timeout = timeout EXCEPTIONS OTHERS = 1 ).
    IF sy-subrc = 0.
      client->receive( EXCEPTIONS OTHERS = 1 ).
    ENDIF.
    IF sy-subrc = 0.
      client->response->get_status( IMPORTING code = status ).
      " Seconds; the service sends no dates.
      DATA(seconds) = client->response->get_header_field( 'retry-after' ).
      IF seconds CO '0123456789' AND seconds IS NOT INITIAL.
        wait = seconds.
      ENDIF.
      /ui2/cl_json=>deserialize(
        EXPORTING json        = client->response->get_cdata( )
                  pretty_name = /ui2/cl_json=>pretty_mode-camel_case
        CHANGING  data        = answer ).
    ENDIF.
    client->close( EXCEPTIONS OTHERS = 1 ).
  ENDMETHOD.

  METHOD authorize.
    IF profile IS INITIAL.
      IF token IS INITIAL.
        fetch_token( ).
      ENDIF.
      client->request->set_header_field( name = 'Authorization' value = |Bearer { token }| ).
      RETURN.
    ENDIF.
    " The profile keeps the token and its secret. EXECUTE_CC_FLOW (client credentials) is not there in every release and
    " support package: called by its name, this program is also activated without it.
    TRY.
        DATA(oauth) = cl_oauth2_client=>create( i_profile = CONV #( profile ) ).
        TRY.
            oauth->set_token( io_http_client = client ).
          CATCH cx_oa2c.
            CALL METHOD oauth->('EXECUTE_CC_FLOW').
            oauth->set_token( io_http_client = client ).
        ENDTRY.
      CATCH cx_oa2c cx_sy_dyn_call_error INTO DATA(error).
        " The service then answers 401.
        MESSAGE error->get_text( ) TYPE 'S' DISPLAY LIKE 'E'.
    ENDTRY.
  ENDMETHOD.

  METHOD fetch_token.
    " Client credentials (RFC 6749, section 4.4). SM59 keeps id and secret, and sends them as basic authentication.
    cl_http_client=>create_by_destination(
      EXPORTING destination = 'PO_WEBHOOK_TOKEN'
      IMPORTING client      = DATA(client)
      EXCEPTIONS OTHERS     = 1 ).
    IF sy-subrc <> 0.
      RETURN.
    ENDIF.
    client->propertytype_logon_popup = if_http_client=>co_disabled.
    client->request->set_method( 'POST' ).
    client->request->set_content_type( 'application/x-www-form-urlencoded' ).
    client->request->set_cdata( 'grant_type=client_credentials' ).
    client->send( EXPORTING timeout = 30 EXCEPTIONS OTHERS = 1 ).
    IF sy-subrc = 0.
      client->receive( EXCEPTIONS OTHERS = 1 ).
    ENDIF.
    IF sy-subrc = 0.
      DATA(json) = client->response->get_cdata( ).
      FIND REGEX '"access_token"\s*:\s*"([^"]+)"' IN json SUBMATCHES token.
    ENDIF.
    client->close( EXCEPTIONS OTHERS = 1 ).
  ENDMETHOD.

  METHOD messages_of.
    " BAPIRET2 as it is: TYPE, ID, NUMBER, MESSAGE, ROW (the item's position), FIELD, PARAMETER (the section).
    messages = answer-messages.
    IF messages IS INITIAL AND answer-title IS NOT INITIAL.
      messages = VALUE #( ( type = 'E' message = |{ answer-title }: { answer-detail }| ) ).
    ENDIF.
  ENDMETHOD.

ENDCLASS.

START-OF-SELECTION.
  DATA: cart     TYPE ty_cart,
        messages TYPE bapiret2_t.

  CALL FUNCTION 'BBP_PD_SC_GETDETAIL'
    EXPORTING
      i_guid    = p_guid
    IMPORTING
      e_header  = cart-header
    TABLES
      e_item    = cart-item
      e_account = cart-account
      e_partner = cart-partner
      e_orgdata = cart-orgdata.

  DATA(orders) = NEW lcl_orders( p_oauth ).
  orders->send(
    EXPORTING cart     = cart
    IMPORTING number   = DATA(number)
              messages = messages
    RECEIVING result   = DATA(result) ).

  CASE result.
    WHEN lcl_orders=>outcome-ordered.
      WRITE: / 'Purchase order', number.
    WHEN lcl_orders=>outcome-to_act.
      WRITE / 'No order; somebody has to act.'.
    WHEN lcl_orders=>outcome-again.
      WRITE / 'Not known yet; run this again later.'.
  ENDCASE.
  LOOP AT messages INTO DATA(message).
    WRITE: / message-type, message-number, message-row, message-field, message-message.
  ENDLOOP.

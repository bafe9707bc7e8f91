REPORT z_send_cart_702.
* Sends an approved cart and shows the number of its purchase order, or every message. For SAP_BASIS 7.02: no inline
* declarations, no constructor expressions, and JSON by CALL TRANSFORMATION (asJSON) and the sXML reader, which the kernel has.
*
* Destinations in SM59, type G (HTTP to external server), TLS active:
*   PO_WEBHOOK        the service, or the gateway in front of it
*   PO_WEBHOOK_TOKEN  the token endpoint with its path; logon: basic, client id and secret

PARAMETERS p_guid TYPE bbp_guid OBLIGATORY.

TYPES: BEGIN OF ty_cart,
         header  TYPE bbp_pds_sc_header_d,
         item    TYPE STANDARD TABLE OF bbp_pds_sc_item_d WITH DEFAULT KEY,
         account TYPE STANDARD TABLE OF bbp_pds_acc WITH DEFAULT KEY,
         partner TYPE STANDARD TABLE OF bbp_pds_partner WITH DEFAULT KEY,
         orgdata TYPE STANDARD TABLE OF bbp_pds_org WITH DEFAULT KEY,
       END OF ty_cart.

TYPES: BEGIN OF ty_answer,
         id       TYPE string,
         state    TYPE string,
         number   TYPE string,
         type     TYPE string,
         title    TYPE string,
         detail   TYPE string,
         messages TYPE bapiret2_t,
       END OF ty_answer.

CONSTANTS: gc_ordered TYPE i VALUE 0,
           gc_to_act  TYPE i VALUE 1, " somebody has to act: see the messages
           gc_again   TYPE i VALUE 2, " not known yet: send the same cart again later
           gc_timeout TYPE i VALUE 60, " seconds: longer than the service's own deadline of 50
           gc_sends   TYPE i VALUE 5,
           gc_polls   TYPE i VALUE 60.

DATA: gs_cart    TYPE ty_cart,
      gs_answer  TYPE ty_answer,
      gs_message TYPE bapiret2,
      gv_result  TYPE i,
      gv_token   TYPE string.

START-OF-SELECTION.
  CALL FUNCTION 'BBP_PD_SC_GETDETAIL'
    EXPORTING
      i_guid    = p_guid
    IMPORTING
      e_header  = gs_cart-header
    TABLES
      e_item    = gs_cart-item
      e_account = gs_cart-account
      e_partner = gs_cart-partner
      e_orgdata = gs_cart-orgdata.

  PERFORM send CHANGING gs_answer gv_result.

  CASE gv_result.
    WHEN gc_ordered.
      WRITE: / 'Purchase order', gs_answer-number.
    WHEN gc_to_act.
      WRITE / 'No order; somebody has to act.'.
    WHEN OTHERS.
      WRITE / 'Not known yet; run this again later.'.
  ENDCASE.
  LOOP AT gs_answer-messages INTO gs_message.
    WRITE: / gs_message-type, gs_message-number, gs_message-row, gs_message-field, gs_message-message.
  ENDLOOP.

*&---------------------------------------------------------------------*
*& Sends the cart until there is an outcome
*&---------------------------------------------------------------------*
FORM send CHANGING cs_answer TYPE ty_answer cv_result TYPE i.
  DATA: lv_body    TYPE xstring,
        lv_status  TYPE i,
        lv_wait    TYPE i,
        lv_renewed TYPE c LENGTH 1.

  cv_result = gc_again.
  PERFORM serialize CHANGING lv_body.

  DO gc_sends TIMES.
    " No CSRF token is needed.
    PERFORM call USING 'POST' '/v2/purchase-orders' lv_body CHANGING lv_status lv_wait cs_answer.
    IF lv_status = 202.
      " The order is recorded and still being worked on.
      PERFORM await_order USING lv_wait CHANGING cs_answer.
    ENDIF.

    CASE lv_status.
      WHEN 200 OR 201 OR 202.
        " 201: created now. 200: this cart had its order already. Its warnings are in messages.
        CASE cs_answer-state.
          WHEN 'created'.
            cv_result = gc_ordered.
          WHEN 'rejected' OR 'parked' OR 'cancelled'.
            cv_result = gc_to_act.
        ENDCASE.
        RETURN.
      WHEN 401.
        " The token may have expired on its way; a new one is tried once.
        IF lv_renewed = 'X'.
          cv_result = gc_to_act.
          RETURN.
        ENDIF.
        lv_renewed = 'X'.
        CLEAR gv_token.
      WHEN 0 OR 408 OR 429 OR 500 OR 503 OR 504.
        " Whatever became of it: the same cart, with the same GUID, may always be sent again, and is one order.
        WAIT UP TO lv_wait SECONDS.
      WHEN 502.
        " Parked: a person has to look. Without a type it is no problem of the service, but a gateway's page.
        IF cs_answer-type IS NOT INITIAL.
          cv_result = gc_to_act.
          RETURN.
        ENDIF.
        WAIT UP TO lv_wait SECONDS.
      WHEN OTHERS.
        " 422: mistakes of the cart, or a refusal of 11VMS. 409: another cart has this GUID.
        " 400, 403, 413, 415: the request itself is wrong.
        cv_result = gc_to_act.
        RETURN.
    ENDCASE.
  ENDDO.
ENDFORM.

*&---------------------------------------------------------------------*
*& Asks for an order until it is settled
*&---------------------------------------------------------------------*
FORM await_order USING iv_wait TYPE i CHANGING cs_answer TYPE ty_answer.
  DATA: ls_found  TYPE ty_answer,
        lv_uri    TYPE string,
        lv_status TYPE i,
        lv_wait   TYPE i,
        lv_empty  TYPE xstring.

  CONCATENATE '/v2/purchase-orders/' cs_answer-id INTO lv_uri.
  DO gc_polls TIMES.
    WAIT UP TO iv_wait SECONDS.
    PERFORM call USING 'GET' lv_uri lv_empty CHANGING lv_status lv_wait ls_found.
    IF lv_status = 200.
      cs_answer = ls_found.
      CASE ls_found-state.
        WHEN 'created' OR 'rejected' OR 'parked' OR 'cancelled'.
          RETURN.
      ENDCASE.
    ENDIF.
  ENDDO.
ENDFORM.

*&---------------------------------------------------------------------*
*& One call; status 0 is no answer
*&---------------------------------------------------------------------*
FORM call USING iv_method TYPE csequence iv_uri TYPE csequence iv_body TYPE xstring
          CHANGING cv_status TYPE i cv_wait TYPE i cs_answer TYPE ty_answer.
  DATA: lo_client  TYPE REF TO if_http_client,
        lv_method  TYPE string,
        lv_uri     TYPE string,
        lv_value   TYPE string,
        lv_json    TYPE xstring,
        lv_failed  TYPE sy-subrc.

  CLEAR: cv_status, cs_answer.
  cv_wait = 10.
  IF gv_token IS INITIAL.
    PERFORM fetch_token CHANGING gv_token.
  ENDIF.

  CALL METHOD cl_http_client=>create_by_destination
    EXPORTING
      destination = 'PO_WEBHOOK'
    IMPORTING
      client      = lo_client
    EXCEPTIONS
      OTHERS      = 1.
  IF sy-subrc <> 0.
    RETURN.
  ENDIF.
  lo_client->propertytype_logon_popup = if_http_client=>co_disabled.
  " HTTP/1.0 is the default of old releases, and is taken too.
  lo_client->request->set_version( if_http_request=>co_protocol_version_1_1 ).
  lv_method = iv_method.
  lv_uri = iv_uri.
  lo_client->request->set_method( lv_method ).
  cl_http_utility=>set_request_uri( request = lo_client->request uri = lv_uri ).
  CONCATENATE 'Bearer' gv_token INTO lv_value SEPARATED BY space.
  lo_client->request->set_header_field( name = 'Authorization' value = lv_value ).
  IF iv_body IS NOT INITIAL.
    lo_client->request->set_content_type( 'application/json; charset=utf-8' ).
    lo_client->request->set_data( iv_body ).
  ENDIF.

  lo_client->send( EXPORTING timeout = gc_timeout EXCEPTIONS OTHERS = 1 ).
  lv_failed = sy-subrc.
  IF lv_failed = 0.
    lo_client->receive( EXCEPTIONS OTHERS = 1 ).
    lv_failed = sy-subrc.
  ENDIF.
  IF lv_failed = 0.
    lo_client->response->get_status( IMPORTING code = cv_status ).
    " Seconds; the service sends no dates.
    lv_value = lo_client->response->get_header_field( 'retry-after' ).
    IF lv_value IS NOT INITIAL AND lv_value CO '0123456789'.
      cv_wait = lv_value.
    ENDIF.
    lv_json = lo_client->response->get_data( ).
    PERFORM read_answer USING lv_json CHANGING cs_answer.
  ENDIF.
  lo_client->close( EXCEPTIONS OTHERS = 1 ).
ENDFORM.

*&---------------------------------------------------------------------*
*& Client credentials (RFC 6749, section 4.4); SM59 keeps id and secret, and sends them as basic authentication
*&---------------------------------------------------------------------*
FORM fetch_token CHANGING cv_token TYPE string.
  DATA: lo_client TYPE REF TO if_http_client,
        lv_json   TYPE string,
        lv_failed TYPE sy-subrc.

  CALL METHOD cl_http_client=>create_by_destination
    EXPORTING
      destination = 'PO_WEBHOOK_TOKEN'
    IMPORTING
      client      = lo_client
    EXCEPTIONS
      OTHERS      = 1.
  IF sy-subrc <> 0.
    RETURN.
  ENDIF.
  lo_client->propertytype_logon_popup = if_http_client=>co_disabled.
  lo_client->request->set_method( 'POST' ).
  lo_client->request->set_content_type( 'application/x-www-form-urlencoded' ).
  lo_client->request->set_cdata( 'grant_type=client_credentials' ).
  lo_client->send( EXPORTING timeout = 30 EXCEPTIONS OTHERS = 1 ).
  lv_failed = sy-subrc.
  IF lv_failed = 0.
    lo_client->receive( EXCEPTIONS OTHERS = 1 ).
    lv_failed = sy-subrc.
  ENDIF.
  IF lv_failed = 0.
    lv_json = lo_client->response->get_cdata( ).
    FIND REGEX '"access_token"\s*:\s*"([^"]+)"' IN lv_json SUBMATCHES cv_token.
  ENDIF.
  lo_client->close( EXCEPTIONS OTHERS = 1 ).
ENDFORM.

*&---------------------------------------------------------------------*
*& The cart as asJSON: {"CART":{"HEADER":{...},"ITEM":[...], ...}}
*&---------------------------------------------------------------------*
FORM serialize CHANGING cv_body TYPE xstring.
  DATA lo_writer TYPE REF TO cl_sxml_string_writer.

  lo_writer = cl_sxml_string_writer=>create( type = if_sxml=>co_xt_json ).
  CALL TRANSFORMATION id SOURCE cart = gs_cart RESULT XML lo_writer.
  cv_body = lo_writer->get_output( ).
ENDFORM.

*&---------------------------------------------------------------------*
*& Reads an order or a problem. The identity transformation can't: the names are not in capitals
*&---------------------------------------------------------------------*
FORM read_answer USING iv_json TYPE xstring CHANGING cs_answer TYPE ty_answer.
  DATA: lo_reader     TYPE REF TO if_sxml_reader,
        lo_node       TYPE REF TO if_sxml_node,
        lo_open       TYPE REF TO if_sxml_open_element,
        lo_value      TYPE REF TO if_sxml_value_node,
        lt_attributes TYPE if_sxml_attribute=>attributes,
        lo_attribute  TYPE REF TO if_sxml_attribute,
        ls_message    TYPE bapiret2,
        lv_in_list    TYPE c LENGTH 1,
        lv_depth      TYPE i,
        lv_name       TYPE string,
        lv_text       TYPE string.

  lo_reader = cl_sxml_string_reader=>create( iv_json ).
  TRY.
      DO.
        lo_node = lo_reader->read_next_node( ).
        IF lo_node IS INITIAL.
          EXIT.
        ENDIF.
        CASE lo_node->type.
          WHEN if_sxml_node=>co_nt_element_open.
            lv_depth = lv_depth + 1.
            CLEAR lv_name.
            lo_open ?= lo_node.
            lt_attributes = lo_open->get_attributes( ).
            LOOP AT lt_attributes INTO lo_attribute.
              IF lo_attribute->qname-name = 'name'.
                lv_name = lo_attribute->get_value( ).
              ENDIF.
            ENDLOOP.
            " Depth 1 is the object, 2 its members, 3 the messages, 4 their fields.
            IF lv_depth = 2.
              CLEAR lv_in_list.
              IF lv_name = 'messages'.
                lv_in_list = 'X'.
              ENDIF.
            ENDIF.
          WHEN if_sxml_node=>co_nt_element_close.
            IF lv_depth = 3 AND lv_in_list = 'X'.
              APPEND ls_message TO cs_answer-messages.
              CLEAR ls_message.
            ENDIF.
            lv_depth = lv_depth - 1.
          WHEN if_sxml_node=>co_nt_value.
            lo_value ?= lo_node.
            lv_text = lo_value->get_value( ).
            IF lv_depth = 2.
              CASE lv_name.
                WHEN 'id'.                  cs_answer-id = lv_text.
                WHEN 'state'.               cs_answer-state = lv_text.
                WHEN 'purchaseOrderNumber'. cs_answer-number = lv_text.
                WHEN 'type'.                cs_answer-type = lv_text.
                WHEN 'title'.               cs_answer-title = lv_text.
                WHEN 'detail'.              cs_answer-detail = lv_text.
              ENDCASE.
            ELSEIF lv_depth = 4 AND lv_in_list = 'X'.
              CASE lv_name.
                WHEN 'type'.      ls_message-type = lv_text.
                WHEN 'id'.        ls_message-id = lv_text.
                WHEN 'number'.    ls_message-number = lv_text.
                WHEN 'message'.   ls_message-message = lv_text.
                WHEN 'row'.       ls_message-row = lv_text.
                WHEN 'field'.     ls_message-field = lv_text.
                WHEN 'parameter'. ls_message-parameter = lv_text.
              ENDCASE.
            ENDIF.
        ENDCASE.
      ENDDO.
    CATCH cx_sxml_parse_error.
      " A gateway's page: the status alone counts.
      CLEAR cs_answer.
  ENDTRY.

  IF cs_answer-messages IS INITIAL AND cs_answer-title IS NOT INITIAL.
    ls_message-type = 'E'.
    CONCATENATE cs_answer-title ': ' cs_answer-detail INTO ls_message-message.
    APPEND ls_message TO cs_answer-messages.
  ENDIF.
ENDFORM.

{{ config(materialized='incremental', schema='audit', alias='lines', post_hook="insert into hooks.calls select '{{ this.identifier }}'",
          pre_hook="create table if not exists hooks.calls (name varchar)") }}
select id from {{ ref('stg_sales') }}
{% if is_incremental() %} where id > (select coalesce(max(id), 0) from {{ this }}) {% endif %}

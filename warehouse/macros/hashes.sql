{# A 64-bit hash of a text: for finding suspects cheaply, never a key (engines differ). #}
{% macro text_hash(text) %}{{ adapter.dispatch('text_hash')(text) }}{% endmacro %}
{% macro default__text_hash(text) %}hash({{ text }}){% endmacro %}
{% macro spark__text_hash(text) %}xxhash64({{ text }}){% endmacro %}

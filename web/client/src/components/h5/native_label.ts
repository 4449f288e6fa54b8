// A real <label>, which uni's own is not. H5 only.
import { defineComponent, h } from 'vue';

export default defineComponent({
  name: 'NativeLabel',
  props: { target: { type: String, required: true } },
  setup(props, { slots }) {
    return () => h('label', { for: props.target }, slots.default?.());
  },
});

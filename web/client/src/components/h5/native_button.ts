// A real <button>: focus, Enter, Space and the word "button" for screen readers come with it. H5 only.
import { defineComponent, h } from 'vue';

export default defineComponent({
  name: 'NativeButton',
  props: { disabled: Boolean },
  setup(props, { slots }) {
    return () => h('button', { type: 'button', disabled: props.disabled }, slots.default?.());
  },
});

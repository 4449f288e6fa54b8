// A real <input> with its label, message and invalid state tied together for screen readers. H5 only.
import { defineComponent, h } from 'vue';

export default defineComponent({
  name: 'NativeText',
  props: {
    id: { type: String, required: true },
    value: { type: String, required: true },
    type: { type: String, default: 'text' },
    mode: { type: String, default: 'text' },
    autocomplete: { type: String, default: 'off' },
    hint: { type: String, default: '' },
    test: { type: String, required: true },
    maxlength: { type: Number, default: 64 },
    invalid: Boolean,
  },
  emits: { typed: (_text: string) => true, submit: () => true },
  setup(props, { emit }) {
    return () =>
      h('input', {
        id: props.id,
        class: 'native-text',
        type: props.type,
        inputmode: props.mode,
        autocomplete: props.autocomplete,
        enterkeyhint: 'done',
        maxlength: props.maxlength,
        placeholder: props.hint,
        value: props.value,
        'data-test': props.test,
        'aria-invalid': props.invalid,
        'aria-describedby': `${props.id}-says`,
        onInput: (event: Event) => {
          if ((event as InputEvent).isComposing) return;
          const input = event.target as HTMLInputElement;
          emit('typed', input.value);
          input.value = props.value; // what the page made of it
        },
        onCompositionend: (event: Event) => emit('typed', (event.target as HTMLInputElement).value),
        onKeydown: (event: KeyboardEvent) => {
          if (event.key === 'Enter') emit('submit');
        },
      });
  },
});
